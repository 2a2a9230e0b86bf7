package main

import (
	"net/http"
	"path/filepath"
)

// script is one that the page loads: from a CDN if its bytes have the hash, or from
// -sdk.
type script struct{ URL, Integrity string }

// Versions of Alibaba's uploader and what it needs. The hashes are of the files in
// the packages of the npm registry:
//
//	openssl dgst -sha384 -binary FILE | base64
const (
	cdn          = "https://cdn.jsdelivr.net"
	ossFile      = "aliyun-oss-sdk.min.js"
	ossURL       = cdn + "/npm/ali-oss@6.23.0/dist/" + ossFile
	ossHash      = "sha384-wkcXnNQLFkOtrDi6JOFLswEPpuqr+znte252ydJZTaSay9CxGZtK3fMAoMgyeKcO"
	uploaderFile = "aliyun-upload-vod.min.js"
	uploaderURL  = cdn + "/npm/aliyun-upload-vod@1.0.6/dist/" + uploaderFile
	uploaderHash = "sha384-SpxmtgKdjwiPEX8pTNocXcPVZF5LNjogmYEZU89uCLP2RoQYbvbxORkDQnOKn9hy"
)

// scripts are the uploader's. A local copy has the same bytes, or the browser refuses
// it too.
func scripts(mux *http.ServeMux, local string) (client, uploader script, source string) {
	if local == "" {
		return script{ossURL, ossHash}, script{uploaderURL, uploaderHash}, cdn
	}
	serve := func(pack, file string) string {
		path := filepath.Join(local, pack, "dist", file)
		mux.HandleFunc("GET /sdk/"+file, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) })
		return "/sdk/" + file
	}
	return script{serve("ali-oss", ossFile), ossHash}, script{serve("aliyun-upload-vod", uploaderFile), uploaderHash}, ""
}
