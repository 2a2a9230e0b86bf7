package hls

import (
	"bytes"
	"path"
	"strconv"
	"strings"
)

// IsPlaylistName reports whether a file has the extension of a playlist.
func IsPlaylistName(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".m3u8" || ext == ".m3u"
}

// PlaylistName returns name with the extension of a playlist.
func PlaylistName(name string) string {
	if name == "" || IsPlaylistName(name) {
		return name
	}
	// A name that only begins with a dot has no extension.
	if ext := path.Ext(name); len(ext) > 1 && len(ext) < len(name) {
		name = name[:len(name)-len(ext)]
	}
	return name + ".m3u8"
}

// isSegmentName reports whether a file has the extension of a segment.
func isSegmentName(name string) bool {
	return segmentExtensions[strings.ToLower(path.Ext(name))]
}

var segmentExtensions = setOf(".", `
	ts m2ts mts m2t mp4 m4s m4v m4a m4f mp4v mp4a cmfv cmfa cmft cmfm mov webm weba mkv mka
	aac adts ac3 ac4 eac3 ec3 mp2 mp3 mpa flac opus ogg oga wav
	vtt webvtt ttml imsc dfxp srt
	jpg jpeg png webp gif avif heic jxl`)

// isHidden reports whether the name of a file, or of a folder on its path,
// begins with a dot.
func isHidden(name string) bool {
	return strings.HasPrefix(name, ".") && name != "." || strings.Contains(name, "/.")
}

const maxNameSize = 128 // bytes

// safeName is a file name that is the same whether it is read as a URI or as a
// name.
func safeName(name string) string {
	safe := []byte(strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_':
			return c
		}
		return '_'
	}, name))
	ext := path.Ext(string(safe))
	switch {
	case len(bytes.Trim(safe, ".")) == 0:
		return "_"
	case len(safe) > maxNameSize:
		ext = ext[:min(len(ext), 16)]
		safe = append(safe[:maxNameSize-len(ext)], ext...)
	}
	return string(safe)
}

// nameSet assigns unique names.
type nameSet struct {
	used map[string]bool
	last map[string]int // number of a name that was assigned several times
}

// assign returns name, or name with the first number that makes it unique.
func (s *nameSet) assign(name string) string {
	if s.used == nil {
		s.used, s.last = map[string]bool{}, map[string]int{}
	}
	name = safeName(name)
	unique := name
	ext := path.Ext(name)
	for s.used[unique] {
		s.last[name] = max(2, s.last[name]+1)
		unique = name[:len(name)-len(ext)] + "-" + strconv.Itoa(s.last[name]) + ext
	}
	s.used[unique] = true
	return unique
}
