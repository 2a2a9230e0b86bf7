package main

// Promises 34–44: what becomes of the object, playlists, progress, limits, URLs, callbacks.
var registering = []promise{
	{
		number: 34,
		text:   "If an upload fails after its asset was created, the error has the MediaId and what is needed to refresh, resume or delete the asset.",
		mutations: []mutation{
			{what: "a response of Create that cannot be used hides the asset", file: "upload/destination.go", old: "\t\terr = u.trust.Check(issued.Endpoint)\n\t}\n\tif err != nil {\n\t\treturn d, err", new: "\t\terr = u.trust.Check(issued.Endpoint)\n\t}\n\tif err != nil {\n\t\treturn destination{}, err"},
			{
				what: "the error has no MediaId", file: "upload/flow.go",
				old: "MediaId: r.known.mediaID, FileURL", new: "FileURL",
			},
			{
				what: "the error has no FileURL", file: "upload/flow.go",
				old: "FileURL: r.known.fileURL, UploadId", new: "UploadId",
			},
			{
				what: "the error has no upload id", file: "upload/flow.go",
				old: "UploadId: r.known.uploadID,", new: "",
			},
			{
				what: "the text of the error does not say it", file: "upload/errors.go",
				old: `if e.MediaId != "" {`, new: "if false {",
			},
			{
				what: "the asset of an earlier run is not named", file: "upload/create.go",
				old: "r.know(old)\n", new: "",
			},
			{
				what: "an image's id is dropped", file: "upload/vod_image.go",
				old: "p := destination{mediaID: out.ImageId, fileURL", new: "p := destination{fileURL",
			},
			{
				what: "an asset registered at the end is not named", file: "upload/flow.go",
				old: "\tr.knowAsset(res.MediaId)\n", new: "",
			},
		},
	},
	{
		number: 35,
		text:   "Registration is retried without creating a second asset. An object that is already registered keeps its asset. Data that the service provides only after some seconds is requested again with growing delays.",
		mutations: []mutation{
			{
				what: "a 409 for our own object is a failure", file: "upload/register.go",
				old: "if alimedia.IsAlreadyExists(err) {", new: "if false {",
			},
			{
				what: "a new asset is looked up once only", file: "upload/register_once.go",
				old: "alimedia.IsNotFound(err) && time.Now().Before(until)", new: "alimedia.IsNotFound(err) && time.Now().After(until)",
			},
			{
				what: "an asset is looked up without end", file: "upload/register_once.go",
				old: "alimedia.IsNotFound(err) && time.Now().Before(until)", new: "alimedia.IsNotFound(err)",
			},
			{
				what: "an asset that was there is told as new", file: "upload/register.go",
				old: "res.AlreadyRegistered = !sent.mayBeOurs(file) || sent.before", new: "res.AlreadyRegistered = sent.mayBeOurs(file) && sent.before",
			},
			{
				what: "our own asset is told as one that was there", file: "upload/register_once.go",
				old: "return a.lost || file.mayBeRegistered", new: "return false",
			},
			{
				what: "an older asset is told as ours when a response is lost", file: "upload/register_once.go",
				old: "return err == nil && at.Add(time.Second).Before(file.began.Add(a.skew))", new: "return err == nil && at.IsZero()",
			},
			{
				what: "the clock of the service is taken for ours", file: "upload/register_once.go",
				old: "Before(file.began.Add(a.skew))", new: "Before(file.began)",
			},
			{
				what: "a lost response is looked up in the next run only", file: "upload/register_once.go",
				old: "|| ctx.Err() != nil || again {", new: "|| true || again {",
			},
			{
				what: "a new asset of VOD is told as old", file: "upload/register.go",
				old: "!m.NewRegister", new: "m.NewRegister",
			},
			{
				what: "a file that was not registered passes", file: "upload/register.go",
				old: "if len(out.RegisteredMediaList) == 0 {\n\t\treturn &alimedia.Error{", new: "if len(out.RegisteredMediaList) == 0 {\n\t\treturn nil\n\t}\n\tif false {\n\t\treturn &alimedia.Error{",
			},
			{
				what: "each run with one checkpoint has a ClientToken of its own", file: "upload/register.go",
				old: "req.ClientToken = cmp.Or(req.ClientToken, file.token)\n", new: "",
			},
			{
				what: "a repetition cannot be recognised", file: "internal/rpc/encode.go", in: "./upload",
				old: "if f.token {", new: "if false {",
			},
			{
				what: "what was registered is registered again", file: "upload/flow.go",
				old: "if was, _ := saved.State(); was.Step == checkpoint.Registered {", new: "if was, _ := saved.State(); was.Step == checkpoint.Registered && false {",
			},
			{
				what: "an asset not found yet ends the wait", file: "upload/wait.go",
				old: "time.Since(began) < registrationLag", new: "time.Since(began) < 0",
			},
			{
				what: "an asset that never appears is waited for without end", file: "upload/wait.go",
				old: "time.Since(began) < registrationLag", new: "time.Since(began) < 1<<62",
			},
			{
				what: "one lost response ends the wait", file: "upload/wait.go",
				old: "transfer.Transient(err) && failures+1 < r.cfg.Retry.MaxAttempts", new: "false",
			},
			{
				what: "lost responses are waited out without end", file: "upload/wait.go",
				old: "transfer.Transient(err) && failures+1 < r.cfg.Retry.MaxAttempts", new: "transfer.Transient(err)",
			},
			{
				what: "responses in between do not make up for lost ones", file: "upload/wait.go",
				old: "failures = 0\n", new: "",
			},
			{
				what: "a refusal is asked again", file: "upload/wait.go",
				old: "transfer.Transient(err) && failures+1", new: "failures+1",
			},
			{
				what: "failed processing is a success", file: "upload/wait.go",
				old: "if s.failed {", new: "if false {",
			},
			{
				what: "the news are not listened to", file: "upload/wait.go",
				old: "if asked && news != nil {", new: "if asked && news != nil && false {",
			},
			{
				what: "news are waited for before the first question", file: "upload/wait.go",
				old: "if asked && news != nil {", new: "if (asked || true) && news != nil {",
			},
			{
				what: "news that got lost are waited for without end", file: "upload/wait.go",
				old: "context.WithTimeout(parent, newsTime)", new: "context.WithTimeout(parent, 1<<62)",
			},
			{
				what: "a Notifier that fails ends the wait", file: "upload/wait.go",
				old: "news = nil\n", new: "return struct{}{}, false, err\n",
			},
			{
				what: "a Notifier that fails is asked again", file: "upload/wait.go",
				old: "news = nil\n", new: "",
			},
			{
				what: "the Notifier is not told of which asset", file: "upload/wait.go",
				old: "listen(ctx, news, res.MediaId)", new: "listen(ctx, news, \"\")",
			},
			{
				what: "the pauses do not grow", file: "poll.go", in: "./upload",
				old: "interval = min(interval+interval/2, longest)", new: "interval = min(interval, longest)",
			},
			{
				what: "news are taken for the end", file: "upload/wait.go",
				old: "asked = true\n", new: "if asked && news != nil {\n\t\t\treturn struct{}{}, true, nil\n\t\t}\n\t\tasked = true\n",
			},
			{
				what: "an attached medium not found yet is taken for there", file: "upload/vod_image.go",
				old: "if len(out.AttachedMediaList) == 0 {\n\t\treturn state{}, &alimedia.Error{", new: "if len(out.AttachedMediaList) == 0 {\n\t\treturn state{done: true}, nil\n\t}\n\tif false {\n\t\treturn state{}, &alimedia.Error{",
			},
			{
				what: "an attached medium that failed is waited for", file: "upload/vod_image.go",
				old: "failed: status == vod.VideoStatusUploadFail,", new: "",
			},
			{
				what: "a video that is not transcoded is waited for without end", file: "upload/register.go",
				old: "return u.storedVideoState", new: "return u.videoState",
			},
			{
				what: "a video that is to be transcoded is not waited for", file: "upload/register.go",
				old: `if t.TemplateGroupId == "" && t.WorkflowId == "" {`, new: `if t.TemplateGroupId == "" || t.WorkflowId == "" {`,
			},
			{
				what: "the end of ctx is taken for a fault of the service", file: "upload/wait.go",
				old: "if err != nil && ctx.Err() != nil {", new: "if err != nil && false {",
			},
		},
	},
	{
		number: 36,
		text:   "The URL that is registered is the URL in the result. Every name reaches the object key unchanged: Unicode, spaces, + % # ?, emoji, leading dots, upper case, and long or missing extensions.",
		mutations: []mutation{
			{
				what: "a plus sign stays in the URL", file: "upload/internal/ossobject/address.go",
				old: "return strings.ReplaceAll(u.String(), \"+\", \"%2B\")", new: "return u.String()",
			},
			{
				what: "the URL is not escaped", file: "upload/internal/ossobject/address.go",
				old: "return strings.ReplaceAll(u.String(), \"+\", \"%2B\")", new: "return strings.ReplaceAll(u.Scheme+\"://\"+u.Host+u.Path, \"+\", \"%2B\")",
			},
			{
				what: "a media asset is registered by another URL than is told", file: "upload/register.go",
				old: "req.InputURL = fileURL\n\treq.Title", new: "req.InputURL = fileURL + \"%20\"\n\treq.Title",
			},
			{
				what: "a VOD asset is registered by another URL than is told", file: "upload/register.go",
				old: "meta.FileURL = fileURL", new: "meta.FileURL = fileURL + \"%20\"",
			},
			{
				what: "a stream is registered by another URL than is told", file: "upload/register.go",
				old: "req.InputURL = fileURL\n\tlook", new: "req.InputURL = fileURL + \"%20\"\n\tlook",
			},
			{
				what: "a Yike asset is registered by another URL than is told", file: "upload/yike.go",
				old: "InputURL: res.FileURL,", new: "InputURL: \"oss://\" + res.Bucket + \"/\" + res.Key,",
			},
			{
				what: "the key is cleaned like a path", file: "upload/bucket.go",
				old: "return t.Key + name", new: "return strings.TrimLeft(t.Key+name, \".\")",
			},
			{
				what: "the longest key is refused", file: "upload/internal/ossobject/address.go",
				old: "len(key) > maxKey", new: "len(key) >= maxKey",
			},
			{
				what: "the name is folded to lower case", file: "upload/vod_video.go",
				old: "req.FileName = cmp.Or(req.FileName, file.name)\n\treq.Title = cmp.Or(req.Title, clipRunes", new: "req.FileName = cmp.Or(req.FileName, func(s string) string { b := []byte(s); for i, c := range b { if 'A' <= c && c <= 'Z' { b[i] += 32 } }; return string(b) }(file.name))\n\treq.Title = cmp.Or(req.Title, clipRunes",
			},
			{
				what: "a title is cut within a character", file: "upload/target.go",
				old: "for limit > 0 && !utf8.RuneStart(s[limit]) {", new: "for false && !utf8.RuneStart(s[limit]) {",
			},
			{
				what: "a long title is not cut", file: "upload/target.go",
				old: "if limit == 0 {", new: "if false {",
			},
			{
				what: "the title ends at the first dot", file: "upload/destination.go",
				old: "return f.name[:len(f.name)-len(ext)-1]", new: "for i, c := range f.name { if c == '.' { return f.name[:i] } }; return f.name",
			},
		},
	},
	{
		number: 37,
		text:   "If the object is stored but the callback of OSS fails, the error is `ErrCallback`. The asset is registered nevertheless, and neither this run nor the next sends the object again.",
		mutations: []mutation{
			{what: "the status 203 is taken for success", file: "upload/internal/ossobject/object.go", old: "\t\tinfo.CallbackErr = fmt.Errorf(\"%w: %w\", ErrCallback, o.serviceError(a))\n", new: ""},
			{what: "the status 203 is taken for a failure", file: "upload/internal/ossobject/object.go", old: "\t\tinfo.CallbackErr = fmt.Errorf(\"%w: %w\", ErrCallback, o.serviceError(a))\n\t\treturn info, nil", new: "\t\treturn info, o.serviceError(a)"},
			{
				what: "the error is not typed", file: "upload/internal/ossobject/object.go",
				old: `fmt.Errorf("%w: %w", ErrCallback, o.serviceError(a))`, new: `fmt.Errorf("%v: %w", ErrCallback, o.serviceError(a))`,
			},
			{
				what: "the store's response is dropped", file: "upload/internal/ossobject/object.go",
				old: `fmt.Errorf("%w: %w", ErrCallback, o.serviceError(a))`, new: `fmt.Errorf("%w: %v", ErrCallback, o.serviceError(a))`,
			},
			{
				what: "the object is not registered", file: "upload/flow.go",
				old: "if was, _ := saved.State(); was.Step == checkpoint.Registered {", new: "if object.CallbackErr != nil {\n\t\treturn nil, object.CallbackErr\n\t}\n\tif was, _ := saved.State(); was.Step == checkpoint.Registered {",
			},
			{
				what: "the object is not told as stored", file: "upload/flow.go",
				old: "r.known.stored = true\n", new: "",
			},
			{
				what: "the checkpoint is gone, so that the next run sends all again", file: "upload/flow.go",
				old: "ctx.Err() == nil && !errors.Is(err, ErrCallback)", new: "ctx.Err() == nil",
			},
			{
				what: "the failure goes unnoticed", file: "upload/flow.go",
				old: "if object.CallbackErr != nil {", new: "if false {",
			},
		},
	},
	{
		number: 38,
		text:   "UploadAddress and UploadAuth are accepted in all their spellings: swapped, URL-safe or unpadded Base64, keys in any case, unknown keys, endpoints with or without a scheme and a slash. Values that cannot be used are rejected with the reason before a byte is sent.",
		mutations: []mutation{
			{
				what: "each field is looked for in its own half only", file: "upload/internal/ossobject/credential.go",
				old: "if err := fields.add(part.name, part.text); err != nil {", new: "if part.name == \"UploadAuth\" {\n\t\t\tclear(fields)\n\t\t}\n\t\tif err := fields.add(part.name, part.text); err != nil {",
			},
			{
				what: "only the standard alphabet", file: "upload/internal/ossobject/credential.go",
				old: `strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))`, new: `strings.TrimRight(text, "=")`,
			},
			{
				what: "only padded Base64", file: "upload/internal/ossobject/credential.go",
				old: "base64.RawStdEncoding.DecodeString(text)", new: "base64.StdEncoding.DecodeString(text)",
			},
			{
				what: "white space is not Base64", file: "upload/internal/ossobject/credential.go",
				old: "text = strings.Join(strings.Fields(text), \"\")\n", new: "",
			},
			{
				what: "keys count as they are spelled", file: "upload/internal/ossobject/credential.go",
				old: "d[strings.ToLower(key)] = value", new: "d[key] = value",
			},
			{
				what: "an endpoint without a scheme is refused", file: "upload/internal/ossobject/address.go",
				old: "text = \"https://\" + text\n", new: "",
			},
			{
				what: "a slash at the end is refused", file: "upload/internal/ossobject/address.go",
				old: `strings.Trim(u.Path, "/") != ""`, new: `u.Path != ""`,
			},
			{
				what: "an endpoint may have a path", file: "upload/internal/ossobject/address.go",
				old: `strings.Trim(u.Path, "/") != ""`, new: "false",
			},
			{
				what: "an endpoint of any scheme is used", file: "upload/internal/ossobject/address.go",
				old: `case u.Scheme != "https" && u.Scheme != "http":`, new: "case false:",
			},
			{
				what: "the fields that are missing are not named", file: "upload/internal/ossobject/credential.go",
				old: "missing = append(missing, name)", new: "missing = missing[:0]",
			},
			{
				what: "the error quotes the document", file: "upload/internal/ossobject/credential.go",
				old: `fmt.Errorf("%w: %s is not a JSON object", ErrAddress, name)`, new: `fmt.Errorf("%w: %s is not a JSON object: %s", ErrAddress, name, data)`,
			},
			{
				what: "a document of any length is read", file: "upload/internal/ossobject/credential.go",
				old: "if len(text) > maxDocument {", new: "if false {",
			},
			{
				what: "blanks are cut off a key", file: "upload/internal/ossobject/credential.go",
				old: `if name == "FileName" {`, new: "if false {",
			},
			{
				what: "an endpoint may be no host", file: "upload/internal/ossobject/address.go",
				old: " || !isHost(u.Hostname())", new: "",
			},
			{
				what: "a key that begins with a slash is used", file: "upload/internal/ossobject/address.go",
				old: `case key[0] == '/' || key[0] == '\\':`, new: "case false:",
			},
			{
				what: "the error is not an ErrAddress", file: "upload/internal/ossobject/credential.go",
				old: `return UploadCredential{}, fmt.Errorf("%w: no %s in UploadAddress`, new: `return UploadCredential{}, fmt.Errorf("%[2]s: no %[2]s in UploadAddress`,
			},
		},
	},
	{
		number: 39,
		text:   "A playlist in a folder or on a web server is uploaded with all files that it references: nested playlists, renditions, keys, initialization sections, byte ranges, interstitials and asset lists. Each file is stored once under a unique name. Segments are sent in parallel with one credential, and the rewritten playlist last. Missing, circular, hidden and non-media references, references outside of the folder, and URIs that cannot be resolved are reported with their line before anything is created. No asset is created from a playlist without its segments.",
		mutations: []mutation{
			{
				what: "a byte order mark is part of the first line", file: "upload/internal/hls/playlist.go",
				old: "text = bytes.TrimPrefix(text, []byte(byteOrderMark))\n", new: "",
			},
			{
				what: "a carriage return is part of the name", file: "upload/internal/hls/playlist.go",
				old: `strings.Trim(line, " \t\r\n")`, new: `strings.Trim(line, " \t\n")`,
			},
			{
				what: "initialization sections are not seen", file: "upload/internal/hls/playlist.go",
				old: "\"#EXT-X-MAP\":                RoleSegment,\n", new: "",
			},
			{
				what: "a name is given twice", file: "upload/internal/hls/names.go",
				old: "s.used[unique] = true\n", new: "",
			},
			{
				what: "a path may climb out by escapes or backslashes", file: "upload/internal/hls/uri.go",
				old: `up == ".." || strings.HasPrefix(up, "../")`, new: `up == ".."`,
			},
			{
				what: "an absolute path is taken for a relative one", file: "upload/internal/hls/uri.go",
				old: `if strings.HasPrefix(name, "/") || strings.HasPrefix(name, ` + "`\\`" + `) {`, new: "if false {",
			},
			{
				what: "file: is left as it is", file: "upload/internal/hls/follow.go",
				old: "if f.URL != nil || names == nil {\n\t\t\treturn to, ErrOutside", new: "if f.URL != nil || names == nil {\n\t\t\treturn to, nil",
			},
			{
				what: "links may lead out of the folder", file: "upload/internal/hls/folder.go",
				old: "FS: root.FS(),", new: "FS: os.DirFS(dir),",
			},
			{
				what: "a byte range may end after the file", file: "upload/internal/hls/follow.go",
				old: "case f.URL == nil && f.document == nil && ref.MinSize > f.Size:", new: "case false:",
			},
			{
				what: "a loop is not seen", file: "upload/internal/hls/follow.go",
				old: "case f.document != nil && f.document.open:\n\t\treturn f, ErrLoop\n", new: "",
			},
			{
				what: "a missing segment passes", file: "upload/internal/hls/scan.go",
				old: "case s.missing > 0:\n\t\treturn nil, s.firstMissing\n", new: "",
			},
			{
				what: "playlists are sent with the segments", file: "upload/internal/hls/bundle.go",
				old: "levels[f.level] = append(levels[f.level], f)", new: "levels[0] = append(levels[0], f)",
			},
			{
				what: "segments are sent one after the other", file: "upload/hls_send.go",
				old: "for range min(u.cfg.Parallel, len(files)) {", new: "for range 1 {",
			},
			{
				what: "each segment that is refused refreshes the credential", file: "upload/internal/transfer/credential.go",
				old: "if sameCredentials(refused, c.issued.Credentials) {", new: "if true {",
			},
			{
				what: "references are relative to the URL that was asked for", file: "upload/internal/hls/scan.go",
				old: "f.document.base = in.URL()", new: "f.document.base = f.URL",
			},
			{
				what: "a colon in the key makes a scheme", file: "upload/internal/hls/uri.go",
				old: `if strings.Contains(first, ":") {`, new: `if first == ":" {`,
			},
			{
				what: "a nested playlist keeps the name of a script", file: "upload/internal/hls/bundle.go",
				old: "if f.document != nil && !f.document.list.json {", new: "if false {",
			},
			{
				what: "lists of interstitials are passed by", file: "upload/internal/hls/attributes.go",
				old: "	\"X-ASSET-LIST\": RoleAssetList,\n", new: "",
			},
			{
				what: "attributes that are not known are passed by", file: "upload/internal/hls/playlist.go",
				old: "case holdsURI(a.name, a.value):", new: "case false:",
			},
			{
				what: "a part that is missing by its own word is asked for", file: "upload/internal/hls/attributes.go",
				old: `case a.name == "GAP" &&`, new: `case a.name == "GAPS" &&`,
			},
			{
				what: "a delta update is a playlist", file: "upload/internal/hls/playlist.go",
				old: `case name == "#EXT-X-SKIP":`, new: "case false:",
			},
			{
				what: "the playlist of a URL is sent without its segments", file: "upload/hls_open.go",
				old: "if target.keepsPlaylists() || !f.isPlaylist() {", new: "if true {",
			},
			{
				what: "the playlist of a Reader is sent without its segments", file: "upload/hls_open.go",
				old: "	return nil, errNoFolder\n", new: "	return src.open(ctx, u)\n",
			},
		},
	},
	{
		number: 40,
		text:   "Progress never decreases and ends at exactly 100 %. Bytes that are sent twice count once, and bytes from an earlier run are reported as such. The callback is never called concurrently. A callback that is slow, blocks or panics does not affect the upload.",
		mutations: []mutation{
			{
				what: "a part that is sent again moves the count back", file: "upload/progress.go",
				old: "p.Sent = max(p.Sent, last.Sent)", new: "",
			},
			{what: "bytes of a failed request stay counted", file: "upload/internal/transfer/send.go", old: "s.observer.Moved(-d.sent)\n", new: ""},
			{
				what: "bytes are not counted", file: "upload/internal/transfer/body.go",
				old: "b.observer.Moved(int64(n))", new: "_ = n",
			},
			{
				what: "an object that is sent again counts twice", file: "upload/internal/transfer/transfer.go",
				old: "\t\to.Restarted()\n", new: "",
			},
			{
				what: "an object that is sent again keeps its count", file: "upload/progress.go",
				old: "t.count.Add(-count)\n", new: "_ = count\n",
			},
			{
				what: "a segment that is sent again counts twice", file: "upload/hls_send.go",
				old: "progress.Restarted()\n", new: "",
			},
			{
				what: "bytes that are sent again are told as resumed", file: "upload/progress.go",
				old: "p.Resumed -= resumed\n", new: "_ = resumed\n",
			},
			{
				what: "an object that an earlier run has stored is not told", file: "upload/flow.go",
				old: "r.tracker.Resumed(in.segments.size(was.Size))\n", new: "",
			},
			{
				what: "the end is not waited for", file: "upload/progress.go",
				old: "transfer.WaitFor(t.done, transfer.GracePeriod)", new: "",
			},
			{
				what: "the last state is not told", file: "upload/progress.go",
				old: "open = false\n", new: "return\n",
			},
			{
				what: "the size of a stream stays unknown", file: "upload/flow.go",
				old: "r.tracker.set(func(p *Progress) { p.Total = res.Size })", new: "",
			},
			{
				what: "nearly all is 100 %", file: "upload/progress.go",
				old: "return min(float64(p.Sent)/float64(p.Total)*100, 99.9)", new: "return float64(p.Sent) / float64(p.Total) * 100",
			},
			{
				what: "bytes of an earlier run are not told", file: "upload/progress.go",
				old: "p.Resumed += n\n", new: "",
			},
			{
				what: "bytes of an earlier run are not counted", file: "upload/progress.go",
				old: "t.count.Add(n)\n\t\t\tt.safe.Add(n)", new: "t.safe.Add(n)",
			},
			{
				what: "bytes of an earlier run make the rate", file: "upload/progress.go",
				old: "float64(max(0, p.Sent-p.Resumed-before))", new: "float64(max(0, p.Sent-before))",
			},
			{
				what: "calls at the same time", file: "upload/progress.go",
				old: "callback(p)\n", new: "go callback(p)\n",
			},
			{
				what: "a slow callback holds up the sending", file: "upload/progress.go",
				old: "select {\n\tcase t.wake <- struct{}{}:\n\tdefault:\n\t}", new: "select {\n\tcase t.wake <- struct{}{}:\n\tcase <-t.done:\n\t}",
			},
			{
				what: "a callback that blocks is waited for without end", file: "upload/progress.go",
				old: "transfer.WaitFor(t.done, transfer.GracePeriod)", new: "<-t.done",
			},
			{
				what: "a panic of the callback ends the process", file: "upload/progress.go",
				old: "if r := recover(); r != nil {", new: "if r := any(nil); r != nil {",
			},
			{what: "a panic goes unnoticed", file: "upload/progress.go", old: "log.Error(\"upload: the progress callback panicked and is not called any more\", \"panic\", redact.Text(fmt.Sprint(r)))", new: "_ = log"},
		},
	},
	{
		number: 41,
		text:   "The bandwidth limit applies to all parts and files together, within 10 %. The end of ctx interrupts the wait for bandwidth.",
		mutations: []mutation{
			{
				what: "each upload has the bandwidth for itself", file: "upload/flow.go",
				old: "in.transfer, err = r.engine.Prepare(", new: "in.transfer, err = transfer.New(r.engine.Config).Prepare(",
			},
			{
				what: "each segment of a playlist has the bandwidth for itself", file: "upload/hls_send.go",
				old: "part, err := u.engine.Prepare(ctx, c.source(), 1)", new: "part, err := transfer.New(u.engine.Config).Prepare(ctx, c.source(), 1)",
			},
			{
				what: "segments of a playlist are not limited", file: "upload/hls_send.go",
				old: "part, err := u.engine.Prepare(ctx, c.source(), 1)", new: "c2 := u.engine.Config; c2.Bandwidth = 0; part, err := transfer.New(c2).Prepare(ctx, c.source(), 1)",
			},
			{
				what: "each request has the bandwidth for itself", file: "upload/internal/transfer/send.go",
				old: "admit: s.admit(ctx, a)", new: "admit: New(s.Config).admit(ctx, a)",
			},
			{
				what: "a whole second passes at once", file: "upload/internal/transfer/manager.go",
				old: "int(max(1, c.Bandwidth/8))", new: "int(c.Bandwidth)",
			},
			{
				what: "more is sent than was admitted", file: "upload/internal/transfer/body.go",
				old: "p = p[:n]\n\t}", new: "_ = n\n\t}",
			},
			{
				what: "the wait does not end with ctx", file: "upload/internal/transfer/manager.go",
				old: "if err := retry.Sleep(ctx, wait); err != nil {", new: "if err := retry.Sleep(context.Background(), wait); err != nil {",
			},
			{
				what: "a turn that was not taken is not given back", file: "upload/internal/transfer/manager.go",
				old: "turn.Cancel()\n", new: "",
			},
			{
				what: "our own throttling counts as a stall", file: "upload/internal/transfer/manager.go",
				old: "a.hold()\n", new: "",
			},
		},
	},
	{
		number: 42,
		text:   "Config.Parallel is the maximum number of concurrent upload requests of all files together. A long, slow or failing file does not block the others. Each failure is reported with its file, and Collect returns the results in order.",
		mutations: []mutation{
			{
				what: "each file has slots of its own", file: "upload/flow.go",
				old: "in.transfer, err = r.engine.Prepare(", new: "in.transfer, err = transfer.New(r.engine.Config).Prepare(",
			},
			{
				what: "each segment of a playlist has slots of its own", file: "upload/hls_send.go",
				old: "part, err := u.engine.Prepare(ctx, c.source(), 1)", new: "part, err := transfer.New(u.engine.Config).Prepare(ctx, c.source(), 1)",
			},
			{
				what: "a long file takes all turns", file: "upload/internal/transfer/send.go",
				old: "own := make(chan struct{}, r.Parallel)", new: "own := make(chan struct{}, MaxParts)",
			},
			{what: "a failing file keeps its slot during the pause", file: "upload/internal/transfer/send.go", old: "\trelease(s.requests)\n\terr = s", new: "\tgo func() { time.Sleep(time.Hour); release(s.requests) }()\n\terr = s"},
			{
				what: "the wait for a slot does not end with ctx", file: "upload/internal/transfer/manager.go",
				old: "case <-ctx.Done():\n\t\treturn retry.ContextError(ctx)\n", new: "",
			},
			{
				what: "all files begin at once", file: "upload/batch.go",
				old: "if running == u.cfg.Files {", new: "if false {",
			},
			{
				what: "one failure ends the batch", file: "upload/batch.go",
				old: "if !yield(r) {", new: "if !yield(r) || r.Err != nil {",
			},
			{
				what: "a result has the number of another job", file: "upload/batch.go",
				old: "}(index)\n", new: "}(running)\n",
			},
			{
				what: "results are in the order of their ends", file: "upload/batch.go",
				old: "return cmp.Compare(a.Index, b.Index)", new: "return 0 * cmp.Compare(a.Index, b.Index)",
			},
			{
				what: "a job's own options are dropped", file: "upload/batch.go",
				old: "slices.Concat(opts, job.Options, ", new: "slices.Concat(opts, ",
			},
			{
				what: "a cut by the end of ctx goes unnoticed", file: "upload/batch.go",
				old: "over := ctx.Err() != nil\n", new: "over := ctx.Err() != nil\n\t\tif over {\n\t\t\treturn\n\t\t}\n",
			},
			{
				what: "after the end of ctx all jobs are taken", file: "upload/batch.go",
				old: "if over {\n\t\t\treturn\n\t\t}\n", new: "_ = over\n",
			},
			{
				what: "leaving the loop lets the uploads go on", file: "upload/batch.go",
				old: "defer func() {\n\t\t\tcancel()\n", new: "defer func() {\n\t\t\tdefer cancel()\n",
			},
			{
				what: "leaving the loop leaves the uploads behind", file: "upload/batch.go",
				old: "for range running {\n\t\t\t\t<-results\n\t\t\t}\n", new: "go func() {\n\t\t\t\tfor range running {\n\t\t\t\t\t<-results\n\t\t\t\t}\n\t\t\t}()\n",
			},
			{
				what: "leaving the loop leaves the sequence waiting", file: "upload/batch.go",
				old: "close(left)\n", new: "_ = left\n",
			},
			{
				what: "a sequence that never goes on keeps us", file: "upload/batch.go",
				old: "ends, late = nil, time.After(transfer.GracePeriod)", new: "ends = nil",
			},
			{
				what: "results wait for the sequence to end", file: "upload/batch.go",
				old: "case r := <-results:\n\t\t\t\trunning--\n", new: "case r := <-results:\n\t\t\t\tif queue != nil && running < u.cfg.Files {\n\t\t\t\t\t<-pulled\n\t\t\t\t}\n\t\t\t\trunning--\n",
			},
		},
	},
	{
		number: 43,
		text:   "A URL is fetched over verified TLS if it is https, with a limited number of redirects and never from https to http. Only public addresses are permitted, and they are checked when the connection is made. The size is limited. A broken connection is resumed by Range only if a strong ETag or Last-Modified matches. A truncated file, or a page instead of the file, is an error. The name comes from the server, the path or the Content-Type, or from the user, and is always valid UTF-8.",
		mutations: []mutation{
			{
				what: "certificates are not verified", file: "upload/internal/webfile/request.go",
				old: "&tls.Config{RootCAs: s.RootCAs}", new: "&tls.Config{RootCAs: s.RootCAs, InsecureSkipVerify: true}",
			},
			{
				what: "redirects are followed without end", file: "upload/internal/webfile/stream.go",
				old: "if redirects == s.MaxRedirects {", new: "if redirects == 1000 {",
			},
			{
				what: "a redirect may lead from https to http", file: "upload/internal/webfile/request.go",
				old: `case at.Scheme == "https" && to.Scheme != "https":`, new: "case false:",
			},
			{
				what: "the address is not judged at the connection", file: "upload/internal/webfile/dial.go",
				old: "if err != nil || !isPublic(to.Addr()) {", new: "if err != nil || !to.IsValid() {",
			},
			{
				what: "a proxy is asked for private addresses", file: "upload/internal/webfile/request.go",
				old: "err == nil && !s.AllowPrivate && !isPublic(ip)", new: "err == nil && false && !isPublic(ip)",
			},
			{
				what: "an IPv4 address within IPv6 passes", file: "upload/internal/webfile/dial.go",
				old: "ip = ip.Unmap()\n", new: "",
			},
			{
				what: "a declared size over the cap is fetched", file: "upload/internal/webfile/response.go",
				old: "case response.ContentLength > s.MaxSize:\n\t\treturn retry.Permanent(s.tooLarge())\n", new: "",
			},
			{
				what: "a stream has no cap", file: "upload/internal/webfile/stream.go",
				old: "case s.offset > s.MaxSize:", new: "case false:",
			},
			{
				what: "a weak ETag counts as strong", file: "upload/internal/webfile/response.go",
				old: `if etag = h.Get("ETag"); isStrong(etag) {`, new: `if etag = h.Get("ETag"); etag != "" {`,
			},
			{
				what: "the rest of another file is taken", file: "upload/internal/webfile/response.go",
				old: "case other:\n\t\treturn retry.Permanent(ErrChanged)\n", new: "",
			},
			{
				what: "another part than asked for is taken", file: "upload/internal/webfile/response.go",
				old: "case !ok || from != s.offset:", new: "case !ok:",
			},
			{
				what: "a file that ends early is whole", file: "upload/internal/webfile/stream.go",
				old: "case err == io.EOF && (s.info.Size == UnknownSize || s.offset == s.info.Size):", new: "case err == io.EOF || err == io.ErrUnexpectedEOF:",
			},
			{
				what: "headers of the user go to other hosts", file: "upload/internal/webfile/request.go",
				old: "if slices.Contains(h.Origins, origin) {", new: `if origin != "" {`,
			},
			{
				what: "a page is a film", file: "upload/internal/webfile/webfile.go",
				old: "if mediatype.IsPage(", new: "if false && mediatype.IsPage(",
			},
			{
				what: "a name is what bytes it has", file: "upload/source.go",
				old: "if !utf8.ValidString(name) {", new: "if false {",
			},
			{
				what: "text in an unknown encoding is a name", file: "upload/internal/webfile/name.go",
				old: "if !utf8.ValidString(name) || strings.ContainsRune(name, unicode.ReplacementChar) {", new: "if false {",
			},
			{
				what: "a script's name beats that of the file", file: "upload/internal/webfile/name.go",
				old: "if mediatype.IsMedia(mediatype.Extension(name)) {", new: `if mediatype.Extension(name) != "" {`,
			},
			{
				what: "416 at the end of the file is a change", file: "upload/internal/webfile/response.go",
				old: "\treturn errComplete\n", new: "\treturn retry.Permanent(ErrChanged)\n",
			},
			{
				what: "Retry-After is not heard", file: "upload/internal/webfile/stream.go",
				old: "retryAfter = status.retryAfter", new: "retryAfter = 0",
			},
			{
				what: "a status of a proxy is final", file: "upload/internal/webfile/stream.go",
				old: "return retry.ServerFailure(e.code)", new: "return e.code < 505 && retry.ServerFailure(e.code)",
			},
		},
	},
}
