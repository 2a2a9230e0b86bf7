// Package transfer uploads the bytes of one source to one object, in a single
// request or in parts that are sent in parallel.
//
// It plans the parts, limits concurrency and bandwidth, repeats what may
// succeed later, refreshes credentials, detects stalled connections, continues
// an interrupted upload from its checkpoint, and removes what it does not keep.
// It reports success only when the CRC-64 of the stored object, and of every
// part, is that of the bytes that were read.
//
// It does not know which service stores the object ([Object]), where an upload
// is remembered ([Checkpoint]), who shows its progress ([Observer]), or what the
// object becomes afterwards.
package transfer
