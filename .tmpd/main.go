package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"log"
	"net/http"
	_ "net/http/pprof"
)

type daemonOptions struct{ Home, Listen, Store, Name, LogLevel string }

const version = "dev"

type usageError struct{ error }

func main() {
	var o daemonOptions
	flag.StringVar(&o.Home, "home", "", "")
	flag.StringVar(&o.Listen, "listen", "", "")
	flag.StringVar(&o.Store, "store", "", "")
	flag.StringVar(&o.Name, "name", "", "")
	flag.StringVar(&o.LogLevel, "log-level", "debug", "")
	flag.Bool("daemon", true, "")
	pp := flag.String("pprof", "", "")
	flag.Parse()
	if *pp != "" {
		go func() { log.Println(http.ListenAndServe(*pp, nil)) }()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := runDaemon(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "pinion:", err)
		os.Exit(1)
	}
}
