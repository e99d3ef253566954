package tray

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// wrappers hand their argument of this place to lang.N.
var wrappers = map[string]int{"plural": 0, "some": 2}

// The English catalogue holds every sentence of the code and no other: it is what
// a translation begins with. PINION_GOLDEN=write makes it.
func TestCatalogue(t *testing.T) {
	want := map[string]any{}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") || strings.HasPrefix(p, "traytest") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, 0)
		if err == nil {
			ast.Inspect(f, func(n ast.Node) bool { collect(t, p, n, want); return true })
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(want); err != nil {
		t.Fatal(err)
	}
	const file = "look/translation/en.json"
	if os.Getenv("PINION_GOLDEN") == "write" {
		if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	if err := json.Unmarshal(have, &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if _, ok := got[key]; !ok {
			t.Errorf("%s lacks %q (make words)", file, key)
		}
		delete(got, key)
	}
	for key := range got {
		t.Errorf("%s has %q, which the code says no more (make words)", file, key)
	}
}

// collect adds the sentence that a call translates, if it is one.
func collect(t *testing.T, file string, n ast.Node, into map[string]any) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return
	}
	at, many, known := 0, true, false
	switch f := call.Fun.(type) {
	case *ast.Ident:
		at, known = wrappers[f.Name]
	case *ast.SelectorExpr:
		x, ok := f.X.(*ast.Ident)
		known = ok && x.Name == "lang" && (f.Sel.Name == "L" || f.Sel.Name == "N")
		many = f.Sel.Name == "N"
	}
	if !known || at >= len(call.Args) {
		return
	}
	lit, ok := call.Args[at].(*ast.BasicLit)
	if !ok {
		if id, ok := call.Args[at].(*ast.Ident); ok && (id.Name == "sentence" || id.Name == "many") {
			return // in a wrapper
		}
		t.Errorf("%s: a sentence to be translated has to be written out", file)
		return
	}
	key, err := strconv.Unquote(lit.Value)
	if err != nil {
		t.Fatal(err)
	}
	if into[key] = any(key); many {
		into[key] = map[string]string{"other": key}
	}
}
