// Package interop runs clients that others wrote against mediatest.
package interop
