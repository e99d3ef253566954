package control_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pinion/engine/control"
)

// FuzzRequests: whatever is posted, the answer is JSON, an error is a sentence
// with a kind, and the engine is asked nothing that was not understood.
func FuzzRequests(f *testing.F) {
	for _, s := range [][2]string{
		{"status", `{"after":1}`}, {"invite", ""}, {"join", `{"link":"x","address":"pi:1"}`},
		{"device/set", `{"device":"pi","settings":{"addresses":["a:1"]}}`}, {"folder/add", `{"path":"/docs","mode":"send"}`},
		{"folder/set", `{"folder":"docs","settings":{"name":"x","scan_every":1}}`}, {"pause", `{"for":5,"until":"2026-11-21T14:03:00Z"}`},
		{"restore", `{"path":"a","at":"2026-11-21T14:03:00+02:00","to":"b"}`}, {"resolve", `{"path":"a","keep":"this"}`},
		{"activity", `{"after":18446744073709551615,"limit":-1}`}, {"history", `[]`}, {"scan", `{"name":"a"}{"name":"b"}`},
		{"confirm", `{"nam":1}`}, {"", "{"}, {"../v1/scan", `{}`},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, name, body string) {
		if strings.HasPrefix(name, "status") {
			return // may wait
		}
		e := &fake{}
		r, err := http.NewRequest(http.MethodPost, "http://engine/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Path = "/v1/" + name
		w := httptest.NewRecorder()
		control.Handler(e).ServeHTTP(w, r)
		if w.Code >= 500 && e.asked == "" {
			t.Errorf("%s %q: %d %s", name, body, w.Code, w.Body)
		}
		if w.Header().Get("Content-Type") != "application/json" {
			if e.asked != "" {
				t.Errorf("%s %q: asked %q and answered %q", name, body, e.asked, w.Body)
			}
			return // no such request
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %q: %s", name, body, w.Body)
		}
		if w.Code != http.StatusOK {
			var problem control.Error
			if json.Unmarshal(w.Body.Bytes(), &problem) != nil || problem.Text == "" || problem.Kind == "" {
				t.Errorf("%s %q: %s", name, body, w.Body)
			}
			if problem.Kind == control.KindUsage && e.asked != "" {
				t.Errorf("%s %q: not understood and asked all the same: %q", name, body, e.asked)
			}
		}
	})
}
