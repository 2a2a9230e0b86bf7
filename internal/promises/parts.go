package main

// Promises 14–26 and 45: the plan, sources, completing, leaving nothing behind.
var parts = []promise{}
