// Package ingest uploads and registers many files on many machines.
package ingest
