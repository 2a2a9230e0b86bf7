// Package mediatype knows the media types of files by their extension, and the
// other way round. It holds tables only and asks neither the machine nor the
// network.
package mediatype

import (
	"path"
	"strings"
)

// Media types that others ask for.
const (
	Unknown  = "application/octet-stream"
	Playlist = "application/vnd.apple.mpegurl"
)

// Of returns the media type for the first name whose extension is known, or
// Unknown. Package mime is not used: it reads the tables of the machine first,
// which differ between machines and cost more than a small upload.
func Of(names ...string) string {
	for _, name := range names {
		if t, ok := types[strings.ToLower(Extension(name))]; ok {
			return t
		}
	}
	return Unknown
}

// The types are those of IANA's registry. Where it has none for a format, the
// one that Apache's table has.
var types = map[string]string{
	// Video and streaming.
	"3g2": "video/3gpp2", "3gp": "video/3gpp", "3gpp": "video/3gpp", "asf": "video/x-ms-asf", "av1": "video/av1", "avi": "video/x-msvideo",
	"cmfv": "video/mp4", "f4v": "video/x-f4v", "flv": "video/x-flv", "h264": "video/h264", "h265": "video/h265", "hevc": "video/h265", "ivf": "video/x-ivf",
	"m2t": "video/mp2t", "m2ts": "video/mp2t", "m2v": "video/mpeg", "m4s": "video/iso.segment", "m4v": "video/x-m4v", "mk3d": "video/x-matroska", "mkv": "video/x-matroska",
	"mov": "video/quicktime", "mp4": "video/mp4", "mpe": "video/mpeg", "mpeg": "video/mpeg", "mpg": "video/mpeg", "mts": "video/mp2t", "obu": "video/av1", "ogm": "video/ogg", "ogv": "video/ogg",
	"qt": "video/quicktime", "ts": "video/mp2t", "vob": "video/mpeg", "webm": "video/webm", "wmv": "video/x-ms-wmv",
	"cmfm": "application/mp4", "cmft": "application/mp4", "gxf": "application/gxf", "mxf": "application/mxf", "ogx": "application/ogg",
	"rm": "application/vnd.rn-realmedia", "rmvb": "application/vnd.rn-realmedia-vbr",
	"m3u": "audio/mpegurl", "m3u8": Playlist, "mpd": "application/dash+xml",

	// Audio.
	"aac": "audio/aac", "ac3": "audio/ac3", "ac4": "audio/ac4", "adts": "audio/aac", "aif": "audio/x-aiff", "aifc": "audio/x-aiff", "aiff": "audio/x-aiff", "amr": "audio/amr", "ape": "audio/x-ape", "awb": "audio/amr-wb",
	"caf": "audio/x-caf", "cmfa": "audio/mp4", "dts": "audio/vnd.dts", "dtshd": "audio/vnd.dts.hd", "eac3": "audio/eac3", "ec3": "audio/eac3", "flac": "audio/flac",
	"m4a": "audio/mp4", "m4b": "audio/mp4", "m4r": "audio/mp4", "mid": "audio/midi", "midi": "audio/midi", "mka": "audio/x-matroska", "mp2": "audio/mpeg", "mp3": "audio/mpeg", "mpga": "audio/mpeg",
	"oga": "audio/ogg", "ogg": "audio/ogg", "opus": "audio/ogg", "spx": "audio/ogg", "wav": "audio/wav", "weba": "audio/webm", "wma": "audio/x-ms-wma",

	// Images.
	"apng": "image/apng", "avif": "image/avif", "avifs": "image/avif", "bmp": "image/bmp", "dib": "image/bmp", "gif": "image/gif", "heic": "image/heic", "heics": "image/heic-sequence", "heif": "image/heif", "heifs": "image/heif-sequence", "hif": "image/heif",
	"ico": "image/vnd.microsoft.icon", "j2k": "image/j2c", "jfif": "image/jpeg", "jp2": "image/jp2", "jpe": "image/jpeg", "jpeg": "image/jpeg", "jpg": "image/jpeg", "jxl": "image/jxl", "jxr": "image/jxr",
	"png": "image/png", "psd": "image/vnd.adobe.photoshop", "svg": "image/svg+xml", "svgz": "image/svg+xml", "tif": "image/tiff", "tiff": "image/tiff", "webp": "image/webp",

	// Subtitles and fonts.
	"ass": "text/x-ssa", "dfxp": "application/ttml+xml", "imsc": "application/ttml+xml", "lrc": "text/plain", "scc": "text/x-scc", "srt": "application/x-subrip", "ssa": "text/x-ssa", "ttml": "application/ttml+xml", "vtt": "text/vtt", "webvtt": "text/vtt",
	"otf": "font/otf", "ttc": "font/collection", "ttf": "font/ttf", "woff": "font/woff", "woff2": "font/woff2",

	// What comes along with media.
	"apk": "application/vnd.android.package-archive", "gz": "application/gzip", "htm": "text/html", "html": "text/html", "json": "application/json", "key": Unknown, "pdf": "application/pdf", "tar": "application/x-tar", "txt": "text/plain", "xml": "application/xml", "zip": "application/zip",
}

// IsMedia reports whether an extension is one of video, audio, image,
// subtitles, fonts or playlists.
func IsMedia(ext string) bool {
	ext = strings.ToLower(ext)
	t, ok := types[ext]
	switch {
	case !ok:
		return false
	case strings.HasPrefix(t, "text/"):
		return ext != "txt" && ext != "htm" && ext != "html"
	case strings.HasPrefix(t, "application/"):
		switch ext {
		case "apk", "gz", "json", "key", "pdf", "tar", "xml", "zip":
			return false
		}
	}
	return true
}

// usual is the extension for a media type that a server states.
var usual = map[string]string{
	"application/dash+xml": "mpd", "application/mxf": "mxf", "application/ttml+xml": "ttml", "application/x-subrip": "srt", "text/vtt": "vtt",
	"audio/aac": "aac", "audio/ac3": "ac3", "audio/eac3": "ec3", "audio/flac": "flac", "audio/x-flac": "flac", "audio/mp3": "mp3", "audio/mp4": "m4a", "audio/x-m4a": "m4a", "audio/mpeg": "mp3",
	"audio/ogg": "ogg", "audio/opus": "opus", "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/vnd.wave": "wav", "audio/webm": "weba", "audio/x-matroska": "mka", "audio/matroska": "mka", "audio/x-ms-wma": "wma",
	"image/apng": "apng", "image/avif": "avif", "image/bmp": "bmp", "image/gif": "gif", "image/heic": "heic", "image/heif": "heif", "image/jpeg": "jpg", "image/jxl": "jxl", "image/png": "png", "image/svg+xml": "svg", "image/tiff": "tiff", "image/webp": "webp",
	"video/3gpp": "3gp", "video/mp2t": "ts", "video/mp4": "mp4", "video/mpeg": "mpg", "video/ogg": "ogv", "video/quicktime": "mov", "video/webm": "webm", "video/x-f4v": "f4v", "video/x-flv": "flv", "video/x-m4v": "m4v",
	"video/x-matroska": "mkv", "video/matroska": "mkv", "video/x-ms-wmv": "wmv", "video/x-msvideo": "avi", "video/avi": "avi",
}

// Bare is a Content-Type without its parameters, in lower case.
func Bare(header string) string {
	t, _, _ := strings.Cut(header, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// IsPlaylist reports whether a Content-Type is that of an HLS playlist.
func IsPlaylist(header string) bool {
	switch Bare(header) {
	case Playlist, "application/x-mpegurl", "application/mpegurl", "audio/mpegurl", "audio/x-mpegurl", "video/mpegurl", "video/x-mpegurl":
		return true
	}
	return false
}

// IsPage reports whether a Content-Type is that of a web page, or of an error
// document, where a file of this name was asked for.
func IsPage(header, name string) bool {
	t := Bare(header)
	ext := strings.ToLower(Extension(name))
	own := types[ext]
	switch {
	case t == "text/html" || t == "application/xhtml+xml":
		return own != "text/html" && ext != "xhtml" && ext != "shtml" && ext != "xht"
	case t == "application/json" || t == "text/json" || strings.HasSuffix(t, "+json"):
		return ext == "" || scripts[ext] || IsMedia(ext)
	case t == "application/xml" || t == "text/xml":
		return ext == "" || scripts[ext] || IsMedia(ext) && !strings.HasSuffix(own, "+xml")
	}
	return false
}

// scripts are extensions of programs that a web server runs: they say nothing
// of what the program sends.
var scripts = map[string]bool{"action": true, "ashx": true, "asp": true, "aspx": true, "cfm": true, "cgi": true, "do": true, "jsp": true, "jspx": true, "php": true, "php5": true, "phtml": true, "pl": true, "py": true}

// IsScript reports whether an extension is that of a program which a web server
// runs.
func IsScript(ext string) bool { return scripts[strings.ToLower(ext)] }

// UsualExtension is the extension that a Content-Type usually has, without its
// dot, or "" if there is none.
func UsualExtension(header string) string { return usual[Bare(header)] }

// Extension is the file extension of name without its dot, as it is spelled. A
// name that only begins with a dot has none.
func Extension(name string) string {
	ext := path.Ext(name)
	if len(ext) < 2 || len(ext) == len(name) {
		return ""
	}
	return ext[1:]
}
