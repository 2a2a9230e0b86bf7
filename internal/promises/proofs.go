package main

// Promises 51, 54, 56 and 58: what counts as proof, and what is kept on disk.
var proofs = []promise{
	{number: 51, text: `An answer of OSS without its own proof (ETag, CRC-64, upload ID, result element) is repeated and in the end an error. An answer of ICE or VOD without the ID it promises is an error with the RequestId. Nothing foreign is ever a success.`, breaks: []flaw{
		{what: "an answer needs no request ID", file: "upload/oss.go", old: "case a.id() == \"\":\n\t\treturn a.unproven", new: "case false:\n\t\treturn a.unproven"},
		{what: "every status of success will do", file: "upload/oss.go", old: "case a.status != http.StatusOK:", new: "case a.status/100 != 2:"},
		{what: "stored bytes need no ETag", file: "upload/oss.go", old: "\tswitch {\n\tcase r.etag == \"\":\n\t\treturn receipt{}, a.unproven(\"no ETag\")\n\tcase !r.hasCRC", new: "\tswitch {\n\tcase !r.hasCRC"},
		{what: "stored bytes need no CRC-64", file: "upload/oss.go", old: "case !r.hasCRC && !o.withoutCRC:", new: "case false:"},
		{what: "a result element need not be there", file: "upload/oss.go", old: "case doc != nil && xml.Unmarshal(a.body, doc) != nil:", new: "case doc != nil && xml.Unmarshal(a.body, doc) == io.EOF && a.header == nil:"},
		{what: "the result may be of another object", file: "upload/oss.go", old: "return (bucket == \"\" || bucket == o.name) && (key == \"\" || key == o.key || !expressible)", new: "return true || expressible"},
		{what: "a redirect without an ID is a refusal", file: "upload/oss.go", old: "case a.status < 400 && a.id() == \"\":", new: "case a.status < 300:"},
		{what: "an abort succeeds with any status", file: "upload/oss.go", old: "if err == nil && a.status != http.StatusNoContent {", new: "if false {"},
		{what: "a page with status 404 says that there is no object", file: "upload/parts.go", old: "api.StatusCode == 404 && (api.RequestId != \"\" || alimedia.HasCode(err, \"NoSuchKey\"))", new: "api.StatusCode == 404"},
		{what: "the whole is not asked for where the answer lacks its CRC", file: "upload/parts.go", old: "if !done.hasCRC || done.etag == \"\" {", new: "if done.etag == \"\" {"},
		{what: "no CRC anywhere is accepted without the setting", file: "upload/parts.go", old: "case !found.hasCRC && !s.withoutCRC:", new: "case false:"},
		{what: "without a CRC the size does not count", file: "upload/parts.go", old: "case found.size != want.size:\n\t\t\treturn", new: "case false:\n\t\t\treturn"},
		{what: "a lost PutObject is sent again without a look", file: "upload/parts.go", old: "if doubt == nil || operation != \"PutObject\" {", new: "if true {"},
		{what: "an older object is taken for the one that was sent", file: "upload/parts.go", old: "|| found.age > time.Since(began)+slack {", new: "|| found.age > time.Since(began)+slack && false {"},
		{what: "upload IDs whose answer was lost stay", file: "upload/parts.go", old: "\tif s.strays {\n\t\ts.removeStrays()", new: "\tif false {\n\t\ts.removeStrays()"},
		{what: "the upload of somebody else is aborted", file: "upload/parts.go", old: "|| u.age > time.Since(s.began)+slack {", new: "{"},
		{what: "parts at the old address stay", file: "upload/resume.go", old: "if g, ok := s.keys.(*grant); ok && errors.Is(err, ErrAddressChanged) {", new: "if g, ok := s.keys.(*grant); ok && false {"},
		{what: "a provider without Invalidate is not asked again", file: "upload/session.go", old: "return err == nil && !sameKeys(keys, refused), err", new: "_, ok := s.keys.(credentials.Invalidator)\n\treturn ok && err == nil && !sameKeys(keys, refused), err"},
		{what: "the same keys are tried again", file: "upload/session.go", old: "return err == nil && !sameKeys(keys, refused), err", new: "return err == nil && keys.AccessKeyId != \"\", err"},
	}},
	{number: 54, text: `Parts kept from an earlier run are read again and compared by CRC-64 before the object is completed; the list of finished uploads compares the whole file on request. A changed inode or a restored modification time changes nothing.`, breaks: []flaw{
		{what: "kept parts are believed", file: "upload/parts.go", old: "case sum != kept.crc || c.data.Size() != kept.size:", new: "case sum != kept.crc && false:"},
		{what: "an object that is there is compared with the record", file: "upload/resume.go", old: "\t\tif sum, err = s.checksum(ctx); err != nil {", new: "\t\tif err != nil {"},
		{what: "kept bytes count as resumed before they are proved", file: "upload/parts.go", old: "\tkept, ok := s.kept[c.number]\n", new: "\tkept, ok := s.kept[c.number]\n\ts.tracker.resumed(kept.size)\n"},
		{what: "a stored segment is believed to be the same", file: "upload/hls.go", old: `return err == nil && hash.Sum64() == want, err`, new: `return err == nil, err`},
	}},
	{number: 56, text: `Any error that a reader returns fails the upload, whatever bytes come with it. A reader that panics fails its own upload only.`, breaks: []flaw{
		{what: "an error that comes with the last byte of a part is lost", file: "upload/feed.go", old: "\t\tn += got\n\t\tif idle++; got > 0 {", new: "\t\tn += got\n\t\tif n == len(p) && err != io.EOF {\n\t\t\terr = nil\n\t\t}\n\t\tif idle++; got > 0 {"},
		{what: "an error of ReadAt with bytes is lost", file: "upload/feed.go", old: "failed := err != nil && err != io.EOF", new: "failed := false"},
		{what: "a panic of a reader ends the process", file: "upload/feed.go", old: "\t\tif v := recover(); v != nil {\n\t\t\tn, err = 0, panicked(\"the reader\", v)\n\t\t}\n\t}()\n\tn, err = g.r.Read(p)", new: "\t\tif v := any(nil); v != nil {\n\t\t\tn, err = 0, panicked(\"the reader\", v)\n\t\t}\n\t}()\n\tn, err = g.r.Read(p)"},
		{what: "a panic of ReadAt ends the process", file: "upload/feed.go", old: "\t\tif v := recover(); v != nil {\n\t\t\tn, err = 0, panicked(\"the reader\", v)\n\t\t}\n\t}()\n\tn, err = g.r.ReadAt(p, off)", new: "\t\tif v := any(nil); v != nil {\n\t\t\tn, err = 0, panicked(\"the reader\", v)\n\t\t}\n\t}()\n\tn, err = g.r.ReadAt(p, off)"},
		{what: "a panic of other code ends the process", file: "upload/session.go", old: "\t\tif p := recover(); p != nil {", new: "\t\tif p := any(nil); p != nil {"},
		{what: "a reader that ends its goroutine has ended", file: "upload/feed.go", old: "\tend := errLeft", new: "\tend := io.EOF"},
	}},
	{number: 58, text: `What an answer told is on disk before anything depends on it, and is read back after a kill at any moment, also from a file that was not yet renamed.`, breaks: []flaw{
		{what: "the record of segments is removed before all is recorded", file: "upload/upload.go", old: "	r.uploaded = true\n", new: "	r.uploaded = true\n	r.content.slices.forget(r.journal)\n"},
		{what: "parts of a segment are not recorded", file: "upload/hls.go", old: `if s.journal == nil || p.single {`, new: `if true {`},
		{what: "parts of a segment stay when nobody goes on with them", file: "upload/hls.go", old: "	to.address = was.Address\n	s := r.session(to)\n", new: "	return\n	to.address = was.Address\n	s := r.session(to)\n"},
	}},
}
