package main

// Promises 51, 54, 56 and 58: what counts as proof, and what is kept on disk.
var proofs = []promise{
	{number: 51, text: `An answer of OSS without its own proof (ETag, CRC-64, upload ID, result element) is repeated and in the end an error. An answer of ICE or VOD without the ID it promises is an error with the RequestId. Nothing foreign is ever a success.`, breaks: []flaw{}},
	{number: 54, text: `Parts kept from an earlier run are read again and compared by CRC-64 before the object is completed; the list of finished uploads compares the whole file on request. A changed inode or a restored modification time changes nothing.`, breaks: []flaw{
		{what: "a stored segment is believed to be the same", file: "upload/hls.go", old: `return err == nil && hash.Sum64() == want, err`, new: `return err == nil, err`},
	}},
	{number: 56, text: `Any error that a reader returns fails the upload, whatever bytes come with it. A reader that panics fails its own upload only.`, breaks: []flaw{}},
	{number: 58, text: `What an answer told is on disk before anything depends on it, and is read back after a kill at any moment, also from a file that was not yet renamed.`, breaks: []flaw{
		{what: "the record of segments is removed before all is recorded", file: "upload/upload.go", old: "	r.uploaded = true\n", new: "	r.uploaded = true\n	r.content.slices.forget(r.journal)\n"},
		{what: "parts of a segment are not recorded", file: "upload/hls.go", old: `if s.journal == nil || p.single {`, new: `if true {`},
		{what: "parts of a segment stay when nobody goes on with them", file: "upload/hls.go", old: "	to.address = was.Address\n	s := r.session(to)\n", new: "	return\n	to.address = was.Address\n	s := r.session(to)\n"},
	}},
}
