package apply

import (
	"encoding/json"
	"path"
	"reflect"
	"strings"
	"testing"

	"pinion/engine/tree"
)

// FuzzNotes: a note that is taken names nothing outside our own directory but
// paths of the folder, and reads the same once it was written.
func FuzzNotes(f *testing.F) {
	for _, s := range []string{
		`{"Items":[{"Op":1,"Src":".pinion/apply/1-2","Staged":".pinion/tmp/x","Want":{"Kind":1,"Size":3},"Was":{"Path":"a/b"}}]}`,
		`{"Items":[{"Op":2,"Src":".pinion/apply/..","Was":{"Path":"a"}}]}`,
		`{"Items":[{"Held":"../x","Was":{"Path":"../a"}},{"Keep":".pinion/x","Was":{"Path":"a"}}]}`,
		`{"Items":null}`, `[]`, `{"Items":[{"Op":"Put"}]}`,
	} {
		f.Add([]byte(s))
	}
	within := func(p, dir string) bool {
		return path.Clean(p) == p && strings.HasPrefix(p, dir+"/")
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var in intent
		if json.Unmarshal(data, &in) != nil {
			return
		}
		for _, it := range in.Items {
			if !it.valid() {
				continue
			}
			for _, p := range []string{it.Src, it.Held} {
				if p != "" && (!within(p, Private) || strings.Count(p, "/") != strings.Count(Private, "/")+1) {
					t.Errorf("%q is taken for ours", p)
				}
			}
			for _, p := range []tree.Path{it.Was.Path, it.Keep} {
				if p != "" && (path.Clean(string(p)) != string(p) || p[0] == '/' || p == ".." || strings.HasPrefix(string(p), "../")) {
					t.Errorf("%q is taken for a path", p)
				}
			}
		}
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		var again intent
		if err := json.Unmarshal(b, &again); err != nil || !reflect.DeepEqual(normal(t, in), normal(t, again)) {
			t.Errorf("%v\n%+v\n%+v", err, in, again)
		}
	})
}

// normal is the note as JSON, in which text that is no UTF-8 was replaced.
func normal(t *testing.T, in intent) string {
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
