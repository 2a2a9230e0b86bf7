// Alimedia is the command line of the SDK.
package main

func main() {}
