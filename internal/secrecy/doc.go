// Package secrecy holds the test that no exported type of this module shows a
// secret when it is formatted, logged or marshalled.
package secrecy
