package engine_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pinion/engine/control"
	"pinion/engine/enginetest"
	"pinion/engine/status"
)

// letters is a world of three with sixty letters in docs.
func letters(t *testing.T) *enginetest.World {
	t.Helper()
	w := three(t)
	for i := range 60 {
		w.Write("laptop", letter(i), strings.Repeat(fmt.Sprintf("Dear number %d, how are you? ", i), 20))
	}
	return shared(w, "laptop", "pi1", "pi2")
}

func letter(i int) string { return fmt.Sprintf("docs/letters/%02d.txt", i) }

// sealed is what a program that encrypts files for ransom leaves of a text.
func sealed(i int, text string) string {
	r := rand.NewChaCha8([32]byte{byte(i), byte(i >> 8), 42})
	b := make([]byte, len(text)+16)
	_, _ = r.Read(b)
	return string(b)
}

func encrypt(w *enginetest.World, t *testing.T, dev string, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		b, err := os.ReadFile(w.Path(dev, letter(i)))
		if err != nil {
			t.Fatal(err)
		}
		w.Write(dev, letter(i), sealed(i, string(b)))
	}
}

// spoilt counts the files of a device that are not what they were.
func spoilt(w *enginetest.World, dev string, was map[string]string) (n int) {
	now := w.Texts(dev, "docs")
	for p, text := range was {
		if now[p] != text {
			n++
		}
	}
	return n
}

func takeBack(t *testing.T, w *enginetest.World, dev string) {
	t.Helper()
	if _, err := w.Engine(dev).Restore(t.Context(), control.Restore{Path: "docs"}); err != nil {
		t.Fatal(err)
	}
}

func TestMassOverwriteIsHeldAndConfirmedFromAnotherDevice(t *testing.T) {
	w := letters(t)
	was := w.Texts("laptop", "docs")
	encrypt(w, t, "laptop", 0, 40)
	for _, dev := range []string{"laptop", "pi1", "pi2"} {
		w.AwaitState(dev, "docs", status.Held)
		if why := w.State(dev, "docs").Reason; !strings.Contains(why, "files were overwritten with what looks like encrypted content on laptop") || !strings.Contains(why, "pinion restore docs") {
			t.Errorf("%s says %q", dev, why)
		}
	}
	w.Write("laptop", "docs/new.txt", "what else happens goes on")
	w.AwaitFile("pi1", "docs/new.txt", "what else happens goes on")
	// A few that are noticed of a sweep may be taken for themselves, where it pauses.
	if n := spoilt(w, "pi1", was); n > 24 {
		t.Errorf("%d files are encrypted on pi1 while that is held", n)
	}
	if h := w.State("laptop", "docs").Holds; len(h) != 1 || h[0].Files < 1 || !h[0].Overwritten || h[0].Deleted || len(h[0].Examples) != 3 {
		t.Errorf("%+v", h)
	}
	w.Confirm("pi2", "docs")
	w.Settle()
	if n := spoilt(w, "pi1", was); n != 40 {
		t.Errorf("%d files are encrypted on pi1 after the yes, not 40", n)
	}
}

func TestMassOverwriteIsTakenBackFromAnotherDevice(t *testing.T) {
	w := letters(t)
	was := w.Texts("laptop", "docs")
	w.Stop("laptop") // so that they are found all at once
	encrypt(w, t, "laptop", 0, 60)
	w.Start("laptop")
	w.AwaitState("pi2", "docs", status.Held)
	takeBack(t, w, "pi2")
	w.Settle()
	for _, dev := range []string{"laptop", "pi1", "pi2"} {
		if n := spoilt(w, dev, was); n > 0 {
			t.Errorf("%d files are spoilt on %s", n, dev)
		}
	}
	kept := w.Archive("laptop", "docs/letters")
	if len(kept) != 60 {
		t.Errorf("the laptop's archive has %d of the encrypted files", len(kept))
	}
	for i := range 60 {
		w.Kept("docs", sealed(i, was[strings.TrimPrefix(letter(i), "docs/")]))
	}
}

func TestMassDeletionIsTakenBackFromAnotherDevice(t *testing.T) {
	w := letters(t)
	w.Link("laptop", "docs/letters/link", "00.txt")
	w.Mkdir("laptop", "docs/letters/empty")
	w.Settle()
	was := w.Texts("laptop", "docs")
	names := w.Names("laptop", "docs")
	w.Move("laptop", "docs/letters", "gone")
	w.Write("laptop", "docs/other.txt", "so that it is not empty")
	w.AwaitState("pi1", "docs", status.Held)
	takeBack(t, w, "pi1")
	w.Settle()
	w.Delete("laptop", "docs/other.txt")
	w.Settle()
	for _, dev := range []string{"laptop", "pi1", "pi2"} {
		if got := w.Names(dev, "docs"); !slices.Equal(got, names) || spoilt(w, dev, was) > 0 {
			t.Errorf("%s has %d of %d", dev, len(got), len(names))
		}
	}
	if kept := w.Archive("pi1", "docs/letters"); len(kept) > 0 {
		t.Errorf("%d files were deleted on pi1", len(kept))
	}
}

func TestEmptiedRootIsTakenBack(t *testing.T) {
	w := two(t)
	w.Fill("laptop", "docs/all", 5)
	shared(w, "laptop", "pi1")
	w.Move("laptop", "docs/all", "aside")
	w.AwaitState("pi1", "docs", status.Held)
	takeBack(t, w, "pi1")
	w.Settle()
	if n := len(w.Names("laptop", "docs")); n != 6 {
		t.Errorf("the laptop has %d paths instead of 6", n)
	}
}

// Encrypted to a new name, the original deleted, and some overwritten: one hold.
func TestDeletionsAndOverwritesAreOneHold(t *testing.T) {
	w := letters(t)
	was := w.Texts("laptop", "docs")
	w.Stop("laptop") // so that they are found all at once
	for i := range 15 {
		w.Write("laptop", letter(i)+".locked", sealed(i, strings.Repeat("x", 500)))
		w.Delete("laptop", letter(i))
	}
	encrypt(w, t, "laptop", 20, 35)
	w.Start("laptop")
	w.AwaitState("laptop", "docs", status.Held)
	if why := w.State("laptop", "docs").Reason; !strings.Contains(why, "30 files were deleted, or overwritten") {
		t.Errorf("the reason does not say so: %q", why)
	}
	takeBack(t, w, "laptop")
	w.Settle()
	for _, dev := range []string{"laptop", "pi1"} {
		if n := spoilt(w, dev, was); n > 0 {
			t.Errorf("%d files are spoilt on %s", n, dev)
		}
	}
}

func TestMassOverwriteIsHeldOverARestart(t *testing.T) {
	w := letters(t)
	was := w.Texts("laptop", "docs")
	w.Stop("laptop")
	encrypt(w, t, "laptop", 0, 60)
	w.Start("laptop")
	w.AwaitState("laptop", "docs", status.Held)
	w.Stop("laptop")
	w.Start("laptop")
	w.AwaitState("laptop", "docs", status.Held)
	w.AwaitState("pi1", "docs", status.Held)
	if n := spoilt(w, "pi1", was); n != 0 {
		t.Errorf("%d files are spoilt on pi1", n)
	}
	takeBack(t, w, "laptop")
	w.Settle()
	if n := spoilt(w, "laptop", was); n != 0 {
		t.Errorf("%d files are spoilt on the laptop", n)
	}
}

// An engine that holds nothing back, because it saw little at a time, tells all:
// who would carry it out holds it, and takes it back.
func TestMassOverwriteIsHeldOnTheCarryingSide(t *testing.T) {
	w := letters(t)
	was := w.Texts("laptop", "docs")
	w.Stop("pi1", "pi2")
	for i := 0; i < 40; i += 20 {
		encrypt(w, t, "laptop", i, i+20)
		w.Rest()
		w.Stop("laptop")
		w.Start("laptop")
	}
	w.Start("pi1", "pi2")
	w.AwaitState("pi1", "docs", status.Held)
	w.AwaitState("pi2", "docs", status.Held)
	w.AwaitState("laptop", "docs", status.Held)
	w.Write("laptop", "docs/new.txt", "what else happens goes on")
	w.AwaitFile("pi1", "docs/new.txt", "what else happens goes on")
	if n := spoilt(w, "pi1", was); n != 0 {
		t.Errorf("%d files are spoilt on pi1", n)
	}
	if why := w.State("laptop", "docs").Reason; !strings.Contains(why, "has not done that") {
		t.Errorf("the laptop says %q", why)
	}
	takeBack(t, w, "laptop")
	w.Settle()
	for _, dev := range []string{"laptop", "pi1", "pi2"} {
		if n := spoilt(w, dev, was); n != 0 {
			t.Errorf("%d files are spoilt on %s", n, dev)
		}
	}
	if kept := w.Archive("laptop", "docs/letters"); len(kept) != 40 {
		t.Errorf("the laptop's archive has %d of the encrypted files", len(kept))
	}
}

func TestCarryingSideIsConfirmed(t *testing.T) {
	w := letters(t)
	was := w.Texts("laptop", "docs")
	w.Stop("pi1", "pi2")
	for i := 0; i < 40; i += 20 {
		encrypt(w, t, "laptop", i, i+20)
		w.Rest()
		w.Stop("laptop")
		w.Start("laptop")
	}
	w.Start("pi1", "pi2")
	w.AwaitState("pi1", "docs", status.Held)
	w.Confirm("pi2", "docs")
	w.Settle()
	if n := spoilt(w, "pi1", was); n != 40 {
		t.Errorf("%d files are encrypted on pi1 after the yes, not 40", n)
	}
}

func TestOtherMassChangesPass(t *testing.T) {
	w := two(t)
	picture := func(tag byte) string {
		img := image.NewGray(image.Rect(0, 0, 48, 48))
		r := rand.New(rand.NewPCG(1, uint64(tag)))
		for i := range img.Pix {
			img.Pix[i] = byte(r.Uint32())
		}
		var b bytes.Buffer
		_ = jpeg.Encode(&b, img, &jpeg.Options{Quality: 97})
		return b.String() + string([]byte{tag})
	}
	for i := range 40 {
		w.Write("laptop", fmt.Sprintf("docs/p%02d.jpg", i), picture(byte(i)))
		w.Write("laptop", fmt.Sprintf("docs/t%02d.go", i), strings.Repeat("func  main( ){ }\n", 30+i))
		w.Write("laptop", fmt.Sprintf("docs/vault/%02d", i), sealed(i, strings.Repeat("v", 700)))
	}
	shared(w, "laptop", "pi1")
	for i := range 40 {
		w.Write("laptop", fmt.Sprintf("docs/p%02d.jpg", i), picture(byte(i+100)))
		w.Write("laptop", fmt.Sprintf("docs/t%02d.go", i), strings.Repeat("func main() {}\n", 30+i))
	}
	w.Settle()
	for i := range 40 { // on the device that did not make them
		w.Write("pi1", fmt.Sprintf("docs/vault/%02d", i), sealed(i+100, strings.Repeat("v", 700)))
	}
	w.Settle()
}

// A single file that is encrypted is nothing to ask about.
// A person's yes to a deletion is none to what is encrypted a moment later.
func TestAYesToADeletionIsNoneToEncryption(t *testing.T) {
	w := letters(t)
	for i := range 25 {
		w.Delete("laptop", letter(i))
	}
	w.AwaitState("laptop", "docs", status.Held)
	w.Confirm("laptop", "docs")
	w.Settle()
	was := w.Texts("pi1", "docs")
	encrypt(w, t, "laptop", 25, 60)
	w.AwaitState("laptop", "docs", status.Held)
	w.AwaitState("pi1", "docs", status.Held)
	if n := spoilt(w, "pi1", was); n > 0 {
		t.Errorf("%d files are spoilt on pi1", n)
	}
	w.Confirm("pi1", "docs")
	w.Settle()
	if n := spoilt(w, "pi1", was); n != 35 {
		t.Errorf("%d files are changed on pi1 after the yes", n)
	}
}

func TestFewEncryptedFilesPass(t *testing.T) {
	w := letters(t)
	encrypt(w, t, "laptop", 0, 5)
	w.Settle()
	b, err := os.ReadFile(filepath.Clean(w.Path("laptop", letter(3))))
	if err != nil {
		t.Fatal(err)
	}
	w.Has(letter(3), string(b), "pi1", "pi2")
}
