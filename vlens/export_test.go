package vlens

// NewTransport is the client's own transport, for tests that must make it trust
// their servers.
var NewTransport = newTransport
