package notify

import "testing"

func TestPlainSendsNothingThatAShellUnderstands(t *testing.T) {
	var got []string
	p := Plain(func(title, text string) { got = append(got, title+"|"+text) }, Options{App: "Pinion"})
	for _, n := range []Note{
		{Title: "$(evil)", Body: "`evil`", Plain: "12 files can't be synced."},
		{Plain: "a\"b`c$(d)“e”%f%;g&h|i<j>k{l}\\m\nn\x00o\u202e–p"},
		{Plain: "Größe: 日本, हिन्दी."},
		{Title: "only here", Body: "only here"},
	} {
		if err := p.Show(t.Context(), n); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"Pinion|12 files cant be synced.",
		"Pinion|a b c  d  e  f  g h i j k l  m n o  p",
		"Pinion|Größe: 日本, हिन्दी.",
	}
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
}
