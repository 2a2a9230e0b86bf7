package playurl

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/vod"
)

// VODPlayInfoGetter is the part of vod.Client that [VODPlayInfo] needs.
type VODPlayInfoGetter interface {
	GetPlayInfo(context.Context, vod.GetPlayInfoRequest) (*vod.GetPlayInfoResponse, error)
}

// VODPlayAuthGetter is the part of vod.Client that [VODPlayAuth] needs.
type VODPlayAuthGetter interface {
	GetVideoPlayAuth(context.Context, vod.GetVideoPlayAuthRequest) (*vod.GetVideoPlayAuthResponse, error)
}

// ICEPlayInfoGetter is the part of ice.Client that [ICEPlayInfo] needs.
type ICEPlayInfoGetter interface {
	GetPlayInfo(context.Context, ice.GetPlayInfoRequest) (*ice.GetPlayInfoResponse, error)
}

// VODPlayInfo returns a cache in front of GetPlayInfo of ApsaraVideo VOD.
//
// URLs of the CDN without URL signing do not expire; they are renewed after
// MaxAge. AuthTimeout bounds the time of signed URLs; with OutputType oss it is one
// hour if zero.
//
// https://www.alibabacloud.com/help/en/vod/api-getplayinfo
func VODPlayInfo(client VODPlayInfoGetter, cfg CacheConfig) *Cache[vod.GetPlayInfoRequest, vod.GetPlayInfoResponse] {
	return newCache(cfg, client.GetPlayInfo, func(req vod.GetPlayInfoRequest, res *vod.GetPlayInfoResponse, asked time.Time) end {
		timeout := req.AuthTimeout
		if timeout <= 0 && req.OutputType == vod.OutputTypeOSS {
			timeout = 3600
		}
		urls := []string{res.VideoBase.CoverURL, res.VideoBase.DanMuURL}
		for _, info := range res.PlayInfoList.PlayInfo {
			urls = append(urls, info.PlayURL)
		}
		return ends(urls, asked, timeout, cfg.TTL)
	}, func(res *vod.GetPlayInfoResponse) *vod.GetPlayInfoResponse {
		c := *res
		c.PlayInfoList.PlayInfo = slices.Clone(c.PlayInfoList.PlayInfo)
		return &c
	})
}

// ICEPlayInfo returns a cache in front of GetPlayInfo of Intelligent Media
// Services, whose URLs are valid for AuthTimeout, one hour if zero.
//
// https://www.alibabacloud.com/help/en/ims/developer-reference/api-ice-2020-11-09-getplayinfo
func ICEPlayInfo(client ICEPlayInfoGetter, cfg CacheConfig) *Cache[ice.GetPlayInfoRequest, ice.GetPlayInfoResponse] {
	return newCache(cfg, client.GetPlayInfo, func(req ice.GetPlayInfoRequest, res *ice.GetPlayInfoResponse, asked time.Time) end {
		timeout := req.AuthTimeout
		if timeout <= 0 {
			timeout = 3600
		}
		urls := []string{res.MediaBase.CoverURL}
		for _, info := range res.PlayInfoList {
			urls = append(urls, info.PlayURL, info.FileURL)
		}
		return ends(urls, asked, timeout, cfg.TTL)
	}, func(res *ice.GetPlayInfoResponse) *ice.GetPlayInfoResponse {
		c := *res
		c.PlayInfoList = slices.Clone(c.PlayInfoList)
		return &c
	})
}

// VODPlayAuth returns a cache in front of GetVideoPlayAuth of ApsaraVideo VOD,
// whose credential is valid for AuthInfoTimeout: 100 to 3,000 seconds, 100 if
// zero.
//
// All who play a video get the same credential. It is good for this one video. The
// guide says that a credential is not to be reused for other videos; whether the
// service counts the uses for one video is not documented. Use a larger
// AuthInfoTimeout to save calls: 100 seconds of validity are renewed after 67.
//
// https://www.alibabacloud.com/help/en/vod/developer-reference/api-vod-2017-03-21-getvideoplayauth
func VODPlayAuth(client VODPlayAuthGetter, cfg CacheConfig) *Cache[vod.GetVideoPlayAuthRequest, vod.GetVideoPlayAuthResponse] {
	return newCache(cfg, client.GetVideoPlayAuth, func(req vod.GetVideoPlayAuthRequest, res *vod.GetVideoPlayAuthResponse, asked time.Time) end {
		timeout := req.AuthInfoTimeout
		if timeout <= 0 {
			timeout = 100
		}
		e := ends([]string{res.VideoMeta.CoverURL}, asked, timeout, cfg.TTL)
		if at, ok := playAuthEnd(res.PlayAuth); ok && at.Before(e.at) {
			e.at = at
		}
		return e
	}, func(res *vod.GetVideoPlayAuthResponse) *vod.GetVideoPlayAuthResponse {
		c := *res
		return &c
	})
}

// playAuthEnd reads the ExpireTime of a credential: Base64 of a document with a
// document in it. Its form is not documented.
func playAuthEnd(auth alimedia.Secret) (time.Time, bool) {
	text := auth.Reveal()
	if len(text) > 64<<10 {
		return time.Time{}, false
	}
	document, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return time.Time{}, false
	}
	var outer struct{ AuthInfo string }
	var inner struct{ ExpireTime string }
	if json.Unmarshal(document, &outer) != nil || json.Unmarshal([]byte(outer.AuthInfo), &inner) != nil {
		return time.Time{}, false
	}
	at, err := alimedia.ParseTime(inner.ExpireTime)
	return at, err == nil
}

// end is when a response expires.
type end struct {
	at      time.Time // zero: never
	unknown bool
}

// ends is the earliest end of some URLs. timeout is the documented validity in
// seconds, zero if there is none.
func ends(urls []string, asked time.Time, timeout int64, ttl time.Duration) end {
	var all end
	earlier := func(at time.Time) {
		if all.at.IsZero() || at.Before(all.at) {
			all.at = at
		}
	}
	if timeout > 0 {
		earlier(asked.Add(time.Duration(min(timeout, 100*365*24*3600)) * time.Second))
	}
	for _, u := range urls {
		if u == "" {
			continue
		}
		e := endOf(u, asked, ttl)
		if !e.at.IsZero() {
			earlier(e.at)
		}
		all.unknown = all.unknown || e.unknown && timeout <= 0
	}
	return all
}

const plausible = 10 * 365 * 24 * time.Hour

// endOf reads the end of one URL from its signature.
func endOf(rawURL string, asked time.Time, ttl time.Duration) end {
	l, err := parse(rawURL)
	if err != nil {
		return end{unknown: true}
	}
	for _, typ := range []Type{A, B, C, CQuery} {
		found, t := detect(typ, l)
		if !found {
			continue
		}
		at, err := timeOf(typ, t.stamp)
		switch {
		case err != nil || at.Sub(asked).Abs() > plausible: // a path that only looks like it
			continue
		case ttl > 0:
			return end{at: at.Add(ttl)}
		case at.After(asked.Add(time.Minute)):
			return end{at: at}
		}
		return end{unknown: true}
	}
	q, err := url.ParseQuery(l.query)
	if err != nil {
		return end{unknown: true}
	}
	switch {
	case q.Has("OSSAccessKeyId"):
		if seconds, err := strconv.ParseInt(q.Get("Expires"), 10, 64); err == nil {
			return end{at: time.Unix(seconds, 0)}
		}
		return end{unknown: true}
	case q.Has("x-oss-signature"):
		at, err := time.Parse("20060102T150405Z", q.Get("x-oss-date"))
		seconds, bad := strconv.ParseUint(q.Get("x-oss-expires"), 10, 31)
		if err == nil && bad == nil {
			return end{at: at.Add(time.Duration(seconds) * time.Second)}
		}
		return end{unknown: true}
	case l.has("auth_key"): // signed in a way that is not known
		return end{unknown: true}
	}
	return end{}
}
