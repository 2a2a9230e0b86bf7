// Package checkpoint keeps on disk what later runs need to know about uploads:
// how far an upload is ([File]), which uploads are completed ([Index]), and
// which process is working on an upload (a lock). It promises that a file is
// replaced atomically, that nothing is believed that another user may have
// written, and that no secret is stored. It does not know how bytes are sent,
// which services and targets exist, or who owns an asset.
package checkpoint
