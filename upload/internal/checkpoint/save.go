package checkpoint

import "time"

// Save implements [Checkpoint].
func (f *File) Save() error { return f.update(func(*State) {}) }

// SaveSource implements [Checkpoint].
func (f *File) SaveSource(source Identity) error {
	return f.update(func(s *State) { s.Source = source })
}

// SaveAsset implements [Checkpoint].
func (f *File) SaveAsset(a Asset) error {
	return f.update(func(s *State) { s.setAsset(a) })
}

func (s *State) setAsset(a Asset) {
	s.Step = Sending
	s.MediaID, s.FileURL, s.MediaURL, s.RequestID = a.MediaID, a.FileURL, a.MediaURL, a.RequestID
	s.Address = a.Address
}

// SaveObject implements [Checkpoint].
func (f *File) SaveObject(o Object) error {
	return f.update(func(s *State) { s.Step, s.ETag, s.Size, s.CRC64 = Stored, o.ETag, o.Size, o.CRC64 })
}

// SaveAsked implements [Checkpoint].
func (f *File) SaveAsked(at time.Time) error {
	return f.update(func(s *State) { s.Asked = at.UTC() })
}

// SaveRegistration implements [Checkpoint].
func (f *File) SaveRegistration(r Registration) error {
	return f.update(func(s *State) {
		s.Step = Registered
		s.MediaID, s.RequestID, s.AlreadyRegistered = r.MediaID, r.RequestID, r.Already
	})
}

// Load implements [Checkpoint].
func (f *File) Load() (m Multipart, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.earlier {
		return Multipart{}, false
	}
	s := f.state
	return Multipart{
		UploadID: s.UploadID, PartSize: s.PartSize, Created: s.Created, Initiated: s.Initiated,
		Sending: s.Step == Sending, Completing: s.Step == Completing, LostIDs: s.LostIDs,
		Parts: f.sortedParts(),
	}, true
}

// Started implements [Checkpoint].
func (f *File) Started(uploadID string, partSize int64, lostIDs bool) error {
	return f.update(func(s *State) {
		s.UploadID, s.PartSize, s.Initiated, s.LostIDs = uploadID, partSize, time.Now().UTC(), lostIDs
	})
}

// PartStored implements [Checkpoint].
func (f *File) PartStored(p Part) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.parts[p.Number] = p
	if f.file == nil {
		return nil
	}
	line, err := formatPart(p)
	if err == nil {
		_, err = f.file.Write(line)
	}
	if err != nil {
		return f.failed(err)
	}
	return nil
}

// Replace implements [Checkpoint].
func (f *File) Replace(parts []Part) error {
	return f.update(func(*State) {
		clear(f.parts)
		for _, p := range parts {
			f.parts[p.Number] = p
		}
	})
}

// DropParts implements [Checkpoint].
func (f *File) DropParts() error {
	return f.update(func(s *State) {
		clear(f.parts)
		if s.UploadID != "" {
			s.dropUpload()
		}
	})
}

// Restart implements [Checkpoint].
func (f *File) Restart() error {
	return f.update(func(s *State) {
		clear(f.parts)
		s.dropUpload()
		f.earlier = false
	})
}

// dropUpload forgets the multipart upload, and nothing of the asset.
func (s *State) dropUpload() { s.UploadID, s.PartSize, s.Step = "", 0, Sending }

// Completing implements [Checkpoint].
func (f *File) Completing() error {
	return f.update(func(s *State) { s.Step = Completing })
}

// Durable implements [Checkpoint].
func (f *File) Durable() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file != nil
}
