package webfile

import (
	"cmp"
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
)

const maxName = 255 // bytes, in most file systems

// fileName is the name of a file on a web server. The first of these that has
// an extension wins: Content-Disposition; the requested path and the path after
// redirects, if the extension is that of a media type. Otherwise it is any of
// these names with the extension that Content-Type stands for.
func fileName(disposition, contentType string, requested, responding *url.URL) string {
	stated := CleanName(dispositionName(disposition))
	paths := []string{CleanName(path.Base(requested.Path)), CleanName(path.Base(responding.Path))}
	if mediatype.Extension(stated) != "" {
		return stated
	}
	for _, name := range paths {
		if mediatype.IsMedia(mediatype.Extension(name)) {
			return name
		}
	}
	any := cmp.Or(stated, paths[0], paths[1], "download")
	ext := mediatype.UsualExtension(contentType)
	if mediatype.IsPlaylist(contentType) {
		ext = "m3u8"
	}
	if ext != "" {
		if mediatype.IsScript(mediatype.Extension(any)) {
			any = strings.TrimSuffix(any, path.Ext(any))
		}
		return CleanName(any + "." + ext)
	}
	for _, name := range paths {
		if mediatype.Extension(name) != "" {
			return name
		}
	}
	return any
}

// CleanName turns foreign text into a file name: without directories, invisible
// characters, and what file systems reserve. It is empty if nothing is left.
func CleanName(name string) string {
	if !utf8.ValidString(name) || strings.ContainsRune(name, unicode.ReplacementChar) {
		return ""
	}
	name = strings.Map(func(c rune) rune {
		switch {
		case unicode.IsControl(c), unicode.Is(unicode.Cf, c) && c != '\u200d', unicode.Is(unicode.Co, c), c == '\u2028', c == '\u2029':
			return -1 // Cf has the marks that reverse the direction of text
		case unicode.IsSpace(c):
			return ' '
		}
		return c
	}, name[strings.LastIndexAny(name, `/\`)+1:])
	name = strings.TrimLeft(strings.TrimRight(name, ". "), ". ")
	stem, _, _ := strings.Cut(name, ".")
	if reservedNames[strings.ToUpper(strings.TrimSpace(stem))] {
		name = "_" + name
	}
	if len(name) > maxName {
		ext := clip(path.Ext(name), 16)
		name = clip(name, maxName-len(ext)) + ext
	}
	return name
}

// reservedNames are devices on Windows, with any extension.
var reservedNames = func() map[string]bool {
	all := map[string]bool{"CON": true, "PRN": true, "AUX": true, "NUL": true}
	for i := range 10 {
		all["COM"+strconv.Itoa(i)], all["LPT"+strconv.Itoa(i)] = true, true
	}
	return all
}()

// clip returns the first bytes of s, at most limit, without cutting a character.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
