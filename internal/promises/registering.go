package main

// Promises 34–44: what becomes of the object, playlists, progress, limits, URLs, callbacks.
var registering = []promise{}
