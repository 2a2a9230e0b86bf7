package mediatest

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"time"
)

// Media is an asset of the media library of an account.
type Media struct {
	MediaId    string
	Service    string // "vod" or "ice": which of them made it
	Type       string // video, audio, image, text, attached or other
	Status     string // as the service that made it says
	Title      string
	Bucket     string // where its object is, or will be
	Key        string
	URL        string // http URL of that object
	InputURL   string // as given when it was registered
	Size       int64  // bytes of the object; 0 until it is complete
	Streams    []Stream
	Params     url.Values // parameters of the calls that made and changed it
	CreateTime time.Time
}

// Stream is a media stream attached to an asset by CreateUploadStream or
// RegisterMediaStream.
type Stream struct {
	Definition string
	HDRType    string
	StreamTags string
	URL        string
	Complete   bool // its object is there
}

// asset is a Media as the library keeps it.
type asset struct {
	Media
	prefix   string    // of further objects that belong to it, for playlists
	complete bool      // its object has arrived
	ready    time.Time // when processing ends
	polls    int       // how often it is still seen in processing
	forced   string    // status set by a test
	noSource bool      // its source file was deleted
	changed  time.Time
	seq      int64 // order of creation
	streams  []*stream
}

type stream struct {
	Stream
	bucket, key string
	job         string    // that made it
	made        time.Time // when
}

// Media returns an asset, of whichever account, and whether it exists.
func (s *Server) Media(id string) (Media, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.asset(id)
	if a == nil {
		return Media{}, false
	}
	return a.public(s.now()), true
}

// Medias returns the assets of all accounts in order of their creation.
func (s *Server) Medias() []Media {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*asset
	for _, acc := range s.accounts {
		all = append(all, acc.order...)
	}
	slices.SortFunc(all, func(a, b *asset) int { return cmp.Compare(a.seq, b.seq) })
	return s.public(all)
}

// Medias returns the assets of the account in order of their creation.
func (acc *Account) Medias() []Media {
	s := acc.srv
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.public(acc.order)
}

func (s *Server) public(assets []*asset) []Media {
	all := make([]Media, len(assets))
	for i, a := range assets {
		all[i] = a.public(s.now())
	}
	return all
}

// AddMedia puts an asset into the library of the first account and returns its
// MediaId. What is empty is filled in: an id, Service "vod", Type "video",
// Status "Normal". With Status Uploading, UploadFail or Init its object is still
// to come, at Bucket and Key or else in the managed bucket.
func (s *Server) AddMedia(m Media) string { return s.first.Load().AddMedia(m) }

// AddMedia is [Server.AddMedia] for this account.
func (acc *Account) AddMedia(m Media) string {
	s := acc.srv
	m.Service = cmp.Or(m.Service, "vod")
	m.Type = cmp.Or(m.Type, "video")
	s.mu.Lock()
	defer s.mu.Unlock()
	streams := m.Streams
	m.Streams = nil
	m.Status = cmp.Or(m.Status, "Normal")
	if awaitsObject(m.Status) && m.Bucket == "" {
		m.MediaId = cmp.Or(m.MediaId, acc.srv.randomID(16))
		m.Bucket, m.Key = acc.storage, "sv/"+m.MediaId+"/"+m.MediaId+".mp4"
	}
	a := acc.add(m)
	a.forced = m.Status
	a.complete = !awaitsObject(m.Status)
	for _, st := range streams {
		a.streams = append(a.streams, &stream{Stream: st})
	}
	return a.MediaId
}

// SetStatus sets the status of an asset, such as "TranscodeFail" or
// "PrepareFail". Uploading, UploadFail and Init last until its object arrives
// (once more), all others for good. It reports whether the asset exists.
func (s *Server) SetStatus(mediaId, status string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.asset(mediaId)
	if a != nil {
		a.forced = status
		a.complete = a.complete && !awaitsObject(status)
	}
	return a != nil
}

// The functions below are called with mu held.

// asset finds an asset of any account.
func (s *Server) asset(id string) *asset {
	for _, acc := range s.accounts {
		if a := acc.medias[id]; a != nil {
			return a
		}
	}
	return nil
}

func (acc *Account) add(m Media) *asset {
	if m.MediaId == "" {
		m.MediaId = acc.srv.randomID(16)
	}
	if m.CreateTime.IsZero() {
		m.CreateTime = acc.srv.now()
	}
	if m.Params == nil {
		m.Params = url.Values{}
	}
	if m.URL == "" && m.Bucket != "" {
		m.URL = acc.srv.objectURL(m.Bucket, m.Key)
	}
	m.Params = cloneValues(m.Params)
	acc.srv.seq++
	a := &asset{Media: m, polls: acc.srv.opts.polls, changed: m.CreateTime, seq: acc.srv.seq}
	acc.delete(m.MediaId)
	acc.medias[m.MediaId] = a
	acc.order = append(acc.order, a)
	return a
}

func (acc *Account) delete(id string) {
	if a := acc.medias[id]; a != nil {
		delete(acc.medias, id)
		acc.order = slices.DeleteFunc(acc.order, func(b *asset) bool { return b == a })
	}
}

func (a *asset) public(now time.Time) Media {
	m := a.Media
	m.Status = a.status(now)
	m.Params = cloneValues(a.Params)
	for _, st := range a.streams {
		m.Streams = append(m.Streams, st.Stream)
	}
	return m
}

// status is what the service says of the asset now.
func (a *asset) status(now time.Time) string {
	switch {
	case a.forced != "":
		return a.forced
	case !a.complete && a.Service == "vod":
		return "Uploading"
	case !a.complete:
		return "Init"
	case !now.Before(a.ready) && a.polls <= 0, a.Service == "vod" && (a.Type == "image" || a.Type == "attached"):
		return "Normal" // pictures are not processed
	case a.Service == "vod":
		return "Transcoding"
	default:
		return "Preparing"
	}
}

// look is status as a call of the API sees it, which counts as a poll.
func (a *asset) look(now time.Time) string {
	status := a.status(now)
	if a.complete && a.polls > 0 {
		a.polls--
	}
	return status
}

// awaitsObject reports whether an asset of that status becomes another one
// when its object arrives.
func awaitsObject(status string) bool {
	return status == "Uploading" || status == "UploadFail" || status == "Init"
}

// arrived tells the library that an object is complete.
func (s *Server) arrived(bucket, key string, size int64) {
	acc := s.buckets[bucket].owner
	for _, a := range acc.order {
		if a.Bucket == bucket && a.Key == key {
			acc.finish(a, size)
		}
		for _, st := range a.streams {
			if st.bucket == bucket && st.key == key {
				st.Complete = true
				if st.job == "" {
					s.emit(acc, "ice", "StreamUploadComplete", a.Params.Get("UserData"), fields{"MediaId": a.MediaId, "Status": "Success", "FileURL": st.URL})
				}
				if a.Key == "" { // an asset of streams only
					acc.finish(a, size)
				}
			}
		}
	}
}

// finish starts the processing of an asset whose object is there.
func (acc *Account) finish(a *asset, size int64) {
	s := acc.srv
	if awaitsObject(a.forced) {
		a.forced = ""
	}
	a.Size = size
	a.complete, a.noSource = true, false
	a.changed = s.now()
	a.ready = a.changed.Add(s.opts.delay)
	a.polls = s.opts.polls
	s.arrivedEvent(acc, a)
}

// byURL finds the asset of an address, among those of one service or of all.
func (acc *Account) byURL(address, service string) *asset {
	bucket, key, ok := acc.srv.locate(address)
	for _, a := range acc.order {
		if service != "" && a.Service != service {
			continue
		}
		if ok && a.Bucket == bucket && a.Key == key || a.InputURL == address && address != "" {
			return a
		}
	}
	return nil
}

// byReference finds the asset with a ReferenceId.
func (acc *Account) byReference(id string) *asset {
	if id == "" {
		return nil
	}
	for _, a := range acc.order {
		if a.Params.Get("ReferenceId") == id {
			return a
		}
	}
	return nil
}

// typeOf guesses the type of a medium from its file name.
func typeOf(name string) string {
	switch extension(name) {
	case "png", "jpg", "jpeg", "gif", "heic", "webp", "bmp", "tiff":
		return "image"
	case "mp3", "aac", "wav", "m4a", "flac", "ogg", "wma":
		return "audio"
	case "srt", "ass", "stl", "ttml", "vtt", "ttf", "otf":
		return "text"
	default:
		return "video"
	}
}

func cloneValues(v url.Values) url.Values {
	c := maps.Clone(v)
	for name, values := range c {
		c[name] = slices.Clone(values)
	}
	return c
}
