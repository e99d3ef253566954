package tree

import "testing"

func TestNamesThatCouldBeOne(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"README", "Readme", true},
		{"Caf\u00e9", "Cafe\u0301", true},
		{"CAF\u00c9", "cafe\u0301", true},
		{"ΣΑΣ", "σας", true},
		{"\u212a", "k", true}, // the Kelvin sign
		{"stra\u00dfe", "STRA\u1e9eE", true},
		{"strasse", "stra\u00dfe", false},
		{"a", "b", false},
		{"a ", "a", false},
	} {
		if SameName(c.a, c.b) != c.same || SameName(c.b, c.a) != c.same {
			t.Errorf("%q and %q: %v", c.a, c.b, !c.same)
		}
	}
}

func TestNamesThatWindowsRefuses(t *testing.T) {
	for _, bad := range []string{"a:b", "why?", "CON", "con.txt", "aux .h", "nul", "COM1", "lpt9.log", "com¹", "end.", "end ", "tab\t", `back\slash`} {
		if BadOnWindows(bad) == "" {
			t.Errorf("%q", bad)
		}
	}
	for _, good := range []string{"CONSOLE", "com", "com10", "lpt", "a.con", ".hidden", "a b", "é", "COMB"} {
		if why := BadOnWindows(good); why != "" {
			t.Errorf("%q %s", good, why)
		}
	}
}
