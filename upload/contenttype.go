package upload

import "strings"

// contentType is what the extension of key says of it. Package mime is not
// asked: it reads the tables of the machine first, which differ from one to
// another and cost more than a small upload.
func contentType(key string) string {
	if t, ok := contentTypes[strings.ToLower(extension(key))]; ok {
		return t
	}
	return "application/octet-stream"
}

var contentTypes = map[string]string{
	"3gp": "video/3gpp", "avi": "video/x-msvideo", "flv": "video/x-flv", "m4v": "video/x-m4v", "mkv": "video/x-matroska", "mov": "video/quicktime",
	"mp4": "video/mp4", "mpeg": "video/mpeg", "mpg": "video/mpeg", "ts": "video/mp2t", "webm": "video/webm", "wmv": "video/x-ms-wmv",
	"m3u8": "application/vnd.apple.mpegurl", "mpd": "application/dash+xml",
	"aac": "audio/aac", "flac": "audio/flac", "m4a": "audio/mp4", "mp3": "audio/mpeg", "ogg": "audio/ogg", "opus": "audio/ogg", "wav": "audio/wav", "wma": "audio/x-ms-wma",
	"apng": "image/apng", "bmp": "image/bmp", "gif": "image/gif", "heic": "image/heic", "jpeg": "image/jpeg", "jpg": "image/jpeg", "png": "image/png", "svg": "image/svg+xml", "tif": "image/tiff", "tiff": "image/tiff", "webp": "image/webp",
	"srt": "application/x-subrip", "ttml": "application/ttml+xml", "vtt": "text/vtt",
	"apk": "application/vnd.android.package-archive", "json": "application/json", "txt": "text/plain", "xml": "application/xml", "zip": "application/zip",
}
