package catalogue

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hash is a number that belongs to a seed and a path.
func hash(seed, at string) (sum [32]byte, n uint64) {
	sum = sha256.Sum256([]byte(seed + "\x00" + at))
	return sum, binary.BigEndian.Uint64(sum[:])
}

var epoch = time.Date(2024, 3, 1, 8, 0, 0, 0, time.UTC)

// moment is when something happened: what was created is never younger than what
// was changed or finished.
func (v Values) moment(name string) time.Time {
	lower := strings.ToLower(name)
	later := containsAny(lower, "modif", "update", "last", "finish", "complet", "end")
	switch {
	case !v.Began.IsZero() && later:
		return v.Ended
	case !v.Began.IsZero() && strings.Contains(lower, "expire"):
		return v.Began.Add(24 * time.Hour)
	case !v.Began.IsZero():
		return v.Began
	}
	_, n := hash(v.Seed, "time")
	t := epoch.Add(time.Duration(n%(30*24*3600)) * time.Second)
	if later || strings.Contains(lower, "expire") {
		return t.Add(time.Hour)
	}
	return t
}

func containsAny(s string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(s, part) })
}

// good are the states of something that is whole and done, the best first.
var good = []string{"Normal", "Success", "Succeeded", "success", "succeeded", "Finished", "finished", "Complete", "completed", "TranscodeSuccess", "Active", "Enable", "enable", "online", "running", "pass", "On", "on"}

// plausible makes up a scalar value.
func (v Values) plausible(at string, f *Field) any {
	name, lower := f.Name, strings.ToLower(f.Name)
	sum, n := hash(v.Seed, at)
	top := !strings.Contains(at, ".")
	switch f.Type {
	case "bool":
		return !containsAny(lower, "delete", "fail", "error", "forbid", "blacklist")
	case "int32", "int64", "float32", "float64":
		return v.number(f, top, n)
	case "any":
		return Object{}
	}
	switch {
	case f.JSON:
		return "{}"
	case top && name == "Code":
		return "200"
	case top && name == "Success":
		return "true"
	case top && name == "Message":
		return "OK"
	case containsAny(lower, "errorcode", "errormessage", "errcode", "failcode", "failreason", "errmsg"), name == "Code", name == "Message" && at != "Data.Message", name == "Reason":
		return "" // it did not fail
	case len(f.Enum) > 0:
		for _, state := range good {
			if slices.Contains(f.Enum, state) {
				return state
			}
		}
		return f.Enum[0]
	case isTime(lower):
		return v.moment(name).Format("2006-01-02T15:04:05Z")
	case strings.HasSuffix(lower, "date"):
		return v.moment(name).Format("2006-01-02")
	case strings.HasSuffix(name, "Arn"):
		return "acs:ims:cn-shanghai:1000000000000000:" + strings.ToLower(strings.TrimSuffix(name, "Arn")) + "/" + hex.EncodeToString(sum[:6])
	case strings.HasSuffix(lower, "url") || strings.HasSuffix(lower, "urls") || lower == "media" || strings.HasSuffix(lower, "endpoint") || strings.HasSuffix(lower, "uri"):
		return "https://example.com/" + lower + "/" + hex.EncodeToString(sum[:8]) + extensionFor(lower)
	case strings.HasSuffix(lower, "id") || strings.HasSuffix(name, "Ids") || containsAny(lower, "token", "nonce", "sign", "blob", "plaintext"):
		return hex.EncodeToString(sum[:16])
	case isNumeric(lower):
		return fmt.Sprint(v.number(f, top, n))
	case strings.HasSuffix(lower, "status") || strings.HasSuffix(lower, "state"):
		return "Normal"
	case strings.HasSuffix(lower, "region") || lower == "regionid":
		return "cn-shanghai"
	case strings.HasSuffix(lower, "format") || strings.HasSuffix(lower, "container"):
		return "mp4"
	case strings.Contains(lower, "codec"):
		return "h264"
	case lower == "definition":
		return "HD"
	case strings.HasSuffix(lower, "domain") || strings.HasSuffix(lower, "domainname") || strings.HasSuffix(lower, "host") || strings.Contains(lower, "location"):
		return "example.com"
	case strings.HasSuffix(lower, "language"):
		return "en"
	case strings.HasSuffix(lower, "ip") || strings.HasSuffix(lower, "ips"):
		return "192.0.2." + strconv.FormatUint(n%250+1, 10)
	case strings.HasSuffix(lower, "bucket"):
		return "example-bucket"
	case lower == "label" || strings.HasSuffix(lower, "suggestion"):
		return "pass"
	}
	return strings.ToLower(name) + "-" + hex.EncodeToString(sum[:3])
}

func isTime(lower string) bool {
	return strings.HasSuffix(lower, "time") || strings.HasSuffix(lower, "timestamp") || strings.HasSuffix(lower, "modified") ||
		lower == "gmtcreate" || lower == "gmtfinish" || lower == "gmtsubmit" || strings.HasSuffix(lower, "expiredon") || strings.HasSuffix(lower, "beginon")
}

// isNumeric finds the strings that the service fills with numbers.
func isNumeric(lower string) bool {
	return lower == "total" || strings.HasSuffix(lower, "count") || strings.HasSuffix(lower, "size") || strings.HasSuffix(lower, "duration") ||
		lower == "width" || lower == "height" || strings.HasSuffix(lower, "fps") || strings.HasSuffix(lower, "bitrate") ||
		strings.HasSuffix(lower, "value") || strings.HasSuffix(lower, "rate") || lower == "percent" || lower == "score" ||
		strings.HasSuffix(lower, "interval") || strings.HasSuffix(lower, "utilization") || strings.HasSuffix(lower, "traffic") || strings.HasSuffix(lower, "bps") || lower == "data" || lower == "index" || lower == "uv" || lower == "vv"
}

func extensionFor(lower string) string {
	switch {
	case containsAny(lower, "cover", "image", "snapshot", "thumbnail", "face", "portrait"):
		return ".jpg"
	case strings.Contains(lower, "audio"):
		return ".mp3"
	case strings.Contains(lower, "vtt"):
		return ".vtt"
	}
	return ".mp4"
}

func (v Values) number(f *Field, top bool, n uint64) any {
	lower := strings.ToLower(f.Name)
	switch {
	case top && (lower == "code" || lower == "httpstatuscode" || lower == "statuscode"):
		return 200
	case top && lower == "retcode":
		return 0
	case lower == "code" || containsAny(lower, "errorcode", "errcode"):
		return 0
	case len(f.Enum) > 0:
		if i, err := strconv.ParseInt(f.Enum[0], 10, 64); err == nil {
			return i
		}
	case isTime(lower) && f.Type == "int64":
		return v.moment(f.Name).UnixMilli()
	case lower == "width":
		return 1920
	case lower == "height":
		return 1080
	case strings.HasSuffix(lower, "fps"):
		return 25
	case strings.HasSuffix(lower, "bitrate"):
		return 1500 + n%1000
	case strings.HasSuffix(lower, "duration"):
		if strings.HasPrefix(f.Type, "float") || f.Type == "string" {
			return float64(n%6000+100) / 10
		}
		return n%600 + 10
	case strings.HasSuffix(lower, "size"):
		return n%(64<<20) + 1024
	case strings.HasSuffix(lower, "percent") || strings.HasSuffix(lower, "progress"):
		return 100
	case strings.HasSuffix(lower, "id"):
		return n%900000 + 100000
	case lower == "pageno" || lower == "pagenumber" || lower == "pagenum":
		return 1
	case lower == "total" || strings.HasSuffix(lower, "count") || lower == "totalnum" || lower == "totalcnt":
		return 2
	case strings.HasPrefix(f.Type, "float"), strings.HasSuffix(lower, "rate"):
		return float64(n%999+1) / 10
	}
	return n%100 + 1
}
