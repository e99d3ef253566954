package look

import (
	"embed"
	"errors"
	"path"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"golang.org/x/text/language"
)

// translation has a file LANGUAGE.json for each language that Pinion speaks, as
// fyne.io/fyne/v2/lang wants it. en.json is made from the code (make words) and is
// what translators begin with.
//
//go:embed translation
var translation embed.FS

// toolkit are the languages that Fyne's own words are in, English aside. Of these
// it takes the one nearest to the person's.
var toolkit = []language.Tag{
	language.English, // the first is taken where none is near
	language.Czech, language.German, language.Greek, language.Spanish, language.French, language.Japanese, language.Polish, language.Portuguese,
	language.BrazilianPortuguese, language.Russian, language.Swedish, language.Tamil, language.Ukrainian, language.SimplifiedChinese,
}

// Speak makes Pinion's words known. Where Fyne speaks the person's language and
// Pinion does not, its English ones stand for them: Fyne would write a line to the
// log for each word that it lacks.
func Speak() error {
	err := lang.AddTranslationsFS(translation, "translation")
	wanted, perr := language.Parse(string(lang.SystemLocale()))
	if perr != nil {
		return errors.Join(err, perr)
	}
	_, at, _ := language.NewMatcher(toolkit).Match(wanted)
	tag := toolkit[at].String()
	if own, _ := translation.ReadFile(path.Join("translation", tag+".json")); own != nil {
		return err
	}
	english, rerr := translation.ReadFile("translation/en.json")
	return errors.Join(err, rerr, lang.AddTranslationsForLocale(english, fyne.Locale(tag)))
}
