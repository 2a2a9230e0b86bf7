package main

// Promises 1–13, 47, 49 and 50: credentials, retries, one error, one Uploader.
var network = []promise{
	{
		number: 1,
		text:   "A credential is refreshed ahead of its end (after 80 % of its life, or 300 s before its end if that is earlier), once however many workers need it, and nobody signs with the old one afterwards.",
		breaks: []flaw{
			{what: "it is refreshed only when it has ended", file: "upload/session.go", old: `if alive && (g.renew == nil || now.Before(g.due)) {`, new: `if alive {`},
			{what: "due at 90 %", file: "upload/session.go", old: `p.life*8/10`, new: `p.life*9/10`},
			{what: "no reserve of 300 s", file: "upload/session.go", old: `min(p.life*8/10, p.life-300*time.Second)`, new: `p.life*8/10`},
			{what: "a short life is always due", file: "upload/session.go", old: `max(p.life/2, min(p.life*8/10, p.life-300*time.Second))`, new: `min(p.life*8/10, p.life-300*time.Second)`},
			{what: "several ask at once", file: "upload/session.go", old: `lock: make(chan struct{}, 1)`, new: `lock: make(chan struct{}, 16)`},
			{what: "the time is looked at before the turn has come", file: "upload/session.go", old: "	select {\n	case g.lock <- struct{}{}:\n		defer func() { <-g.lock }()\n	case <-ctx.Done():\n		return credentials.Credentials{}, ended(ctx)\n	}\n	now := time.Now()\n	alive := !g.dead && now.Before(g.ends)", new: "	now, ends, due := time.Now(), g.ends, g.due\n	select {\n	case g.lock <- struct{}{}:\n		defer func() { <-g.lock }()\n	case <-ctx.Done():\n		return credentials.Credentials{}, ended(ctx)\n	}\n	g.due = due\n	alive := !g.dead && now.Before(ends)"},
			{what: "the old one signs on after the refresh", file: "upload/session.go", old: `if s.open != nil && sameKeys(s.used, keys) {`, new: `if s.open != nil {`},
		},
	},
	{
		number: 2,
		text:   "A part refused for a dead token (SecurityTokenExpired, InvalidSecurityToken, InvalidAccessKeyId) means one refresh, however many workers are refused; only that part is sent again, under the same upload id.",
		breaks: []flaw{
			{what: "an expired token is an error", file: "upload/session.go", old: `case isDeadCredential(err) && renewals < 2 && s.invalidate(keys):`, new: `case isDeadCredential(err) && renewals < 0 && s.invalidate(keys):`},
			{what: "InvalidSecurityToken is not known", file: "upload/session.go", old: `"InvalidSecurityToken") ||`, new: `"InvalidSecurityTokens") ||`},
			{what: "InvalidAccessKeyId is not known", file: "upload/session.go", old: `alimedia.HasCode(err, "InvalidAccessKeyId")`, new: `alimedia.HasCode(err, "InvalidAccessKey")`},
			{what: "a late refusal of the old token drops the new one", file: "upload/session.go", old: `if sameKeys(refused, g.permit.keys) {`, new: `if !g.dead {`},
			{what: "the refused one is handed out again", file: "upload/session.go", old: `g.dead = true`, new: `g.dead = false`},
			{what: "the upload starts again", file: "upload/session.go", old: "			renewals++\n			continue", new: "			return ErrLost"},
			{what: "refreshed for as long as it is refused", file: "upload/session.go", old: "			renewals++\n", new: ""},
		},
	},
	{
		number: 3,
		text:   "A refresh that fails or hangs is tried again, less and less often, while the old token serves, and with the pauses of any request after its end; when it fails for good the error has the cause and the upload can be resumed.",
		breaks: []flaw{
			{what: "a failed refresh fails the upload", file: "upload/session.go", old: `case !alive || ctx.Err() != nil:`, new: `default:`},
			{what: "each worker asks again", file: "upload/session.go", old: `g.due = time.Now().Add(g.delay)`, new: `g.due = now`},
			{what: "asked every five seconds", file: "upload/session.go", old: "	g.delay *= 2\n", new: ""},
			{what: "the pause begins with the refresh, not after it", file: "upload/session.go", old: `g.due = time.Now().Add(g.delay)`, new: `g.due = now.Add(g.delay)`},
			{what: "asked again after a refusal for good", file: "upload/session.go", old: "	if !isTransient(err) {\n		g.due = g.ends", new: "	if false {\n		g.due = g.ends"},
			{what: "all wait for a refresh that hangs", file: "upload/session.go", old: `context.WithTimeout(ctx, renewTime)`, new: `context.WithCancel(ctx)`},
			{what: "no patience after the end of the old one", file: "upload/session.go", old: `return credentials.Credentials{}, fmt.Errorf("refresh the upload credential: %w", err)`, new: `return credentials.Credentials{}, fatal(fmt.Errorf("refresh the upload credential: %v", err))`},
			{what: "the cause is lost", file: "upload/session.go", old: `return credentials.Credentials{}, fmt.Errorf("refresh the upload credential: %w", err)`, new: `return credentials.Credentials{}, fmt.Errorf("refresh the upload credential: %v", err)`},
			{what: "the parts are removed", file: "upload/resume.go", old: `if s.journal.lasts() {`, new: `if s.journal.lasts() && isTransient(err) {`},
		},
	},
	{
		number: 4,
		text:   "A refreshed credential for another bucket or key ends the upload with ErrAddressChanged; nothing is written there.",
		breaks: []flaw{
			{what: "the bucket is not compared", file: "upload/session.go", old: `(fresh.Bucket != old.Bucket || fresh.Key != old.Key)`, new: `fresh.Key != old.Key`},
			{what: "the key is not compared", file: "upload/session.go", old: `(fresh.Bucket != old.Bucket || fresh.Key != old.Key)`, new: `fresh.Bucket != old.Bucket`},
			{what: "taken for a passing failure", file: "upload/session.go", old: `case errors.Is(err, ErrAddress) || errors.Is(err, ErrAddressChanged):`, new: `case errors.Is(err, ErrAddress):`},
			{what: "a resumed upload goes to another bucket", file: "upload/resume.go", old: `(p.address.Bucket != was.Bucket || p.address.Key != was.Key)`, new: `p.address.Key != was.Key`},
			{what: "a resumed upload goes to another key", file: "upload/resume.go", old: `(p.address.Bucket != was.Bucket || p.address.Key != was.Key)`, new: `p.address.Bucket != was.Bucket`},
		},
	},
	{
		number: 5,
		text:   "A token that ends while a request is under way (a long part, the completion) is refreshed and that request repeated, its body from the beginning.",
		breaks: []flaw{
			{what: "a part is not repeated", file: "upload/parts.go", old: `err := s.inSlot(ctx, operation, func(a attempt) error {`, new: `_, err := s.once(ctx, s.stall, func(a attempt) error {`},
			{what: "the completion is not repeated", file: "upload/parts.go", old: `err := s.call(ctx, "CompleteMultipartUpload", 5*s.stall, func(a attempt)`, new: `_, err := s.once(ctx, 5*s.stall, func(a attempt)`},
			{what: "the body goes on where it was", file: "upload/feed.go", old: `b.data.ReadAt(p[:min(int64(len(p)), left)], b.pos)`, new: `b.data.Read(p[:min(int64(len(p)), left)])`},
			{what: "the repetition is signed with the old one", file: "upload/session.go", old: `if s.open != nil && sameKeys(s.used, keys) {`, new: `if s.open != nil {`},
		},
	},
	{
		number: 6,
		text:   "The life of a credential is read from ExpireUTCTime, else from Expiration as seconds (string or number) or as an instant, at most 3000 s; a wrong local clock does no harm, for the server's time counts.",
		breaks: []flaw{
			{what: "ExpireUTCTime is not read", file: "upload/address.go", old: `life := until(expireUTCTime)`, new: `life := until("")`},
			{what: "a string of seconds is not read", file: "upload/address.go", old: `strconv.ParseFloat(expiration, 64); err == nil {`, new: `strconv.ParseFloat(expiration, 64); err != nil {`},
			{what: "a number of seconds is not read", file: "upload/address.go", old: `if c := raw[0]; c == '-' || '0' <= c && c <= '9' {`, new: `if c := raw[0]; c == '-' {`},
			{what: "an instant in Expiration is not read", file: "upload/address.go", old: `life = until(expiration)`, new: `life = 0`},
			{what: "without a hint it has no life", file: "upload/address.go", old: `if life <= 0 || life > credentialLife {`, new: `if life > credentialLife {`},
			{what: "a longer life is believed", file: "upload/address.go", old: `if life <= 0 || life > credentialLife {`, new: `if life <= 0 {`},
			{what: "an instant that has passed is believed", file: "upload/address.go", old: "	if life <= 0 {\n", new: "	if life == 0 {\n"},
			{what: "the local time counts for the first credential", file: "upload/target.go", old: `got, err := decodePermit(uploadAddress, uploadAuth, u.clock.now())`, new: `got, err := decodePermit(uploadAddress, uploadAuth, time.Now())`},
			{what: "the local time counts for a refreshed credential", file: "upload/target.go", old: `return decodePermit(uploadAddress, uploadAuth, u.clock.now())`, new: `return decodePermit(uploadAddress, uploadAuth, time.Now())`},
		},
	},
	{
		number: 7,
		text:   "Where the service has no refresh (images, attached media, Yike) the end of the credential is ErrCredentialExpired, or a new asset if WithRecreate asks for that; never a new id unasked.",
		breaks: []flaw{
			{what: "it signs on after its end", file: "upload/session.go", old: `alive := !g.dead && now.Before(g.ends)`, new: `alive := !g.dead`},
			{what: "it signs on after it was refused", file: "upload/session.go", old: `alive := !g.dead && now.Before(g.ends)`, new: `alive := now.Before(g.ends)`},
			{what: "the error does not say it", file: "upload/session.go", old: `fatal(ErrCredentialExpired)`, new: `fatal(context.DeadlineExceeded)`},
			{what: "a resumed upload makes a new asset", file: "upload/resume.go", old: `anew = o.recreate || was.MediaId == ""`, new: `anew = true`},
			{what: "WithRecreate is not heard", file: "upload/resume.go", old: `anew = o.recreate || was.MediaId == ""`, new: `anew = was.MediaId == ""`},
		},
	},
	{
		number: 8,
		text:   "AccessKeySecret, SecurityToken, UploadAuth and signatures are in no error, log record, dump or checkpoint, also where the store echoes them.",
		breaks: []flaw{
			{what: "the store's message is passed on", file: "upload/oss.go", old: `o.redact(doc.Message),`, new: `doc.Message,`},
			{what: "the store's document is passed on", file: "upload/oss.go", old: `o.redact(doc.Message),`, new: `o.redact(string(a.body)),`},
			{what: "a message without end", file: "upload/oss.go", old: `if len(message) > 512 {`, new: `if len(message) > 1<<20 {`},
			{what: "the record of a repetition has the token", file: "upload/session.go", old: `"pause", pause, "error", err`, new: `"pause", pause, "token", keys.SecurityToken, "error", err`},
			{what: "the record of a refresh has the credential", file: "upload/session.go", old: `"upload: credential refreshed", "key", fresh.Key`, new: `"upload: credential refreshed", "permit", fresh`},
			{what: "an Uploader prints what it holds", file: "upload/upload.go", old: `func (u *Uploader) GoString() string { return u.String() }`, new: `func (u *Uploader) GoString() string { k, _ := u.cfg.Credentials.Credentials(context.Background()); return k.AccessKeySecret }`},
			{what: "an undecodable document is quoted", file: "upload/address.go", old: `return fmt.Errorf("%w: %s is not a JSON object", ErrAddress, name)`, new: `return fmt.Errorf("%w: %s is not a JSON object: %s", ErrAddress, name, data)`},
			{what: "what is not Base64 is quoted", file: "upload/address.go", old: `return fmt.Errorf("%w: %s is not Base64", ErrAddress, name)`, new: `return fmt.Errorf("%w: %s is not Base64: %s", ErrAddress, name, text)`},
			{what: "the checkpoint has the token", file: "upload/resume.go", old: `rec.Address = p.address`, new: `keys, _ := p.keys.Credentials(ctx); rec.Address, rec.RequestId = p.address, keys.SecurityToken`},
		},
	},
}
