package mediatest

import (
	"slices"
	"strconv"
)

// objectKind is how an object came into being.
type objectKind int

const (
	normalObject objectKind = iota
	multipartObject
	appendableObject
)

func (k objectKind) String() string { return [...]string{"Normal", "Multipart", "Appendable"}[k] }

// appendObject adds bytes to the end of an object that AppendObject made, or
// makes one.
func (s *Server) appendObject(x *exchange) (reply, error) {
	position, err := strconv.ParseInt(x.query.Get("position"), 10, 64)
	if err != nil || position < 0 {
		return reply{}, ossArgument("position", x.query.Get("position"), "The append position must be a number that is not negative.")
	}
	settings, err := settingsOf(x.r.Header)
	if err != nil {
		return reply{}, err
	}
	b, err := s.receiveChecked(x)
	if err != nil {
		return reply{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := (*object)(nil), s.still(x)
	if err == nil {
		o, err = s.appended(x, b, position)
	}
	if err != nil {
		s.vault.release(b.pieces)
		return reply{}, err
	}
	if o.header == nil {
		o.header = settings
	}
	s.store(x.bucket, x.key, o)
	h := x.w.Header()
	h.Set("ETag", o.etag)
	h.Set("x-oss-hash-crc64ecma", strconv.FormatUint(o.crc, 10))
	h.Set("x-oss-next-append-position", strconv.FormatInt(o.size, 10))
	return reply{}, nil
}

// appended is the object with b at its end; its header is nil when it is new. The
// caller holds mu.
func (s *Server) appended(x *exchange, b blob, position int64) (*object, error) {
	o := &object{blob: b, kind: appendableObject}
	old := s.object(x.bucket, x.key)
	if old == nil {
		old = &object{kind: appendableObject}
	}
	switch {
	case old.kind != appendableObject:
		return nil, refused(409, "ObjectNotAppendable", "The object is not appendable.")
	case position != old.size:
		x.w.Header().Set("x-oss-next-append-position", strconv.FormatInt(old.size, 10))
		return nil, refused(409, "PositionNotEqualToLength", "Position is not equal to file length.")
	case old.size+b.size > maxPut:
		return nil, errTooLarge
	}
	o.header = old.header
	o.blob = blob{size: old.size + b.size, crc: combineCRC(old.crc, b.crc, b.size)}
	if old.hollow() || b.hollow() {
		s.vault.release(b.pieces)
	} else {
		o.pieces = append(slices.Clone(s.vault.retain(old.pieces)), b.pieces...)
	}
	o.etag = `"` + crcETag(o.blob) + `"`
	return o, nil
}
