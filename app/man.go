package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newMan writes the man page, for the packages.
func newMan(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "man DIR", Short: "Write the man page into a directory", Args: takes("DIR"), Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			file := filepath.Join(args[0], "pinion.1")
			if err := os.WriteFile(file, []byte(manPage(cmd.Root())), 0o644); err != nil {
				return fmt.Errorf("write the man page: %w", err)
			}
			return a.say("%s", file)
		},
	}
}

// manPage is one page in roff with all commands.
func manPage(root *cobra.Command) string {
	root.InitDefaultHelpFlag()
	var b strings.Builder
	fmt.Fprintf(&b, ".TH PINION 1 \"\" \"pinion %s\" \"User Commands\"\n", roff(version))
	fmt.Fprintf(&b, ".SH NAME\npinion \\- %s\n", roff(lowerFirst(root.Short)))
	b.WriteString(".SH SYNOPSIS\n.B pinion\n.I COMMAND\n[options]\n.br\n.B pinion \\-\\-daemon\n[options]\n")
	b.WriteString(".SH DESCRIPTION\n")
	manText(&b, root.Long)
	b.WriteString(".SH OPTIONS\n")
	manFlags(&b, root.LocalFlags())
	b.WriteString(".SH COMMANDS\n")
	manCommands(&b, root)
	b.WriteString(`.SH ENVIRONMENT
.TP
.B PINION_HOME
the directory with this device's key and settings, unless \-\-home is given
.TP
.B NO_COLOR
no colors on the terminal
.SH FILES
.TP
.B ~/.config/pinion
the home directory: config.toml, device.key, circle, control.sock
.TP
.I FOLDER\fB/.pinion
the folder's marker, index, staging and archive; never synced
.TP
.I FOLDER\fB/.pinionignore
what is not synced, in the syntax of gitignore
.SH EXIT STATUS
0 done, 1 failed, 2 wrong usage, 3 engine not running, 4 timed out
`)
	return b.String()
}

func manCommands(b *strings.Builder, parent *cobra.Command) {
	for _, c := range parent.Commands() {
		if !c.IsAvailableCommand() || c.Name() == "help" {
			continue
		}
		if c.HasAvailableSubCommands() {
			if c.Name() == "completion" {
				fmt.Fprintf(b, ".SS pinion completion bash|zsh|fish|powershell\n%s\n", roff(c.Short))
				continue
			}
			manCommands(b, c)
			continue
		}
		fmt.Fprintf(b, ".SS %s\n", roff(strings.TrimSuffix(c.UseLine(), " [flags]")))
		text := c.Long
		if text == "" {
			text = c.Short + "."
		}
		manText(b, text)
		manFlags(b, c.LocalNonPersistentFlags())
	}
}

func manFlags(b *strings.Builder, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fmt.Fprintf(b, ".TP\n\\fB%s\\fR", roff(name))
		if value != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roff(value))
		}
		fmt.Fprintf(b, "\n%s\n", roff(usage))
	})
}

// manText keeps indented lines as they are and fills the others.
func manText(b *strings.Builder, text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "":
			b.WriteString(".PP\n")
		case strings.HasPrefix(line, "  "):
			fmt.Fprintf(b, ".nf\n%s\n.fi\n", roff(line))
		default:
			b.WriteString(roff(line) + "\n")
		}
	}
}

func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
