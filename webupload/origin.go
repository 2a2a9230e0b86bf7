package webupload

import (
	"net/http"
	"slices"
)

// origins decides which pages may call the handlers.
type origins struct {
	check   http.CrossOriginProtection // of Sec-Fetch-Site and Origin
	allowed []string
}

func (o *origins) allow(origin string) error {
	o.allowed = append(o.allowed, origin)
	return o.check.AddTrustedOrigin(origin)
}

// share sets the headers by which a page of an allowed origin may read the
// response.
func (o *origins) share(w http.ResponseWriter, r *http.Request) (listed bool) {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !slices.Contains(o.allowed, origin) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Allow-Credentials", "true")
	w.Header().Set("Access-Control-Expose-Headers", tokenHeader+", Retry-After")
	return true
}

// preflight answers the question of a browser whether a page of another origin may
// send a request.
func (o *origins) preflight(w http.ResponseWriter, r *http.Request) *Refusal {
	if !o.share(w, r) {
		return refuse(http.StatusForbidden, "OriginNotAllowed", "Pages of this origin are not allowed to upload here.")
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", http.MethodPost)
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, "+tokenHeader+", X-CSRF-Token")
	h.Set("Access-Control-Max-Age", "600")
	return nil
}
