package main

// Promises 27–33, 46 and 48: resuming.
var checkpoints = []promise{}
