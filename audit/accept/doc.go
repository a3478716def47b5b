// Package accept keeps what a person says of failures that trying again cannot
// mend: that they are accepted, or no longer are.
package accept
