// Package testservices starts the real servers that tests and the demo need:
// a PostgreSQL of its own user and directory, reached over a Unix socket. The S3
// server is in the package s3server below this one.
//
// Servers die with the process that started them. Production code must not
// import this package.
package testservices
