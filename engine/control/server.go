package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// maxRequest bounds a request's body, in bytes.
const maxRequest = 1 << 20

// named is a request about one thing.
type named struct {
	Name string `json:"name"`
}

type statusRequest struct {
	After uint64        `json:"after"`
	Wait  time.Duration `json:"wait,omitempty"`
}

type renameRequest struct {
	Device string `json:"device"`
	Name   string `json:"name"`
}

type setDeviceRequest struct {
	Device   string         `json:"device"`
	Settings DeviceSettings `json:"settings"`
}

type setFolderRequest struct {
	Folder   string         `json:"folder"`
	Settings FolderSettings `json:"settings"`
}

// nothing is the request, or the answer, of what needs none.
type nothing struct{}

// Handler serves an engine.
func Handler(e Engine) http.Handler {
	mux := http.NewServeMux()
	serve(mux, "status", func(ctx context.Context, r statusRequest) (any, error) {
		if r.After > 0 && r.Wait > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, min(r.Wait, time.Minute))
			defer cancel()
			s, err := e.Status(ctx, r.After)
			if errors.Is(err, context.DeadlineExceeded) {
				return e.Status(context.WithoutCancel(ctx), 0)
			}
			return s, err
		}
		return e.Status(ctx, r.After)
	})
	serve(mux, "invite", func(ctx context.Context, _ nothing) (any, error) { return e.Invite(ctx) })
	serve(mux, "join", func(ctx context.Context, r JoinRequest) (any, error) { return e.Join(ctx, r) })
	serve(mux, "device/remove", func(ctx context.Context, r named) (any, error) { return nothing{}, e.RemoveDevice(ctx, r.Name) })
	serve(mux, "device/rename", func(ctx context.Context, r renameRequest) (any, error) {
		return nothing{}, e.RenameDevice(ctx, r.Device, r.Name)
	})
	serve(mux, "device/set", func(ctx context.Context, r setDeviceRequest) (any, error) {
		return nothing{}, e.SetDevice(ctx, r.Device, r.Settings)
	})
	serve(mux, "folder/add", func(ctx context.Context, r AddFolder) (any, error) { return e.AddFolder(ctx, r) })
	serve(mux, "folder/accept", func(ctx context.Context, r Accept) (any, error) { return e.Accept(ctx, r) })
	serve(mux, "folder/remove", func(ctx context.Context, r named) (any, error) { return nothing{}, e.RemoveFolder(ctx, r.Name) })
	serve(mux, "folder/set", func(ctx context.Context, r setFolderRequest) (any, error) {
		return nothing{}, e.SetFolder(ctx, r.Folder, r.Settings)
	})
	servePlaces(mux, e)
	serveIgnores(mux, e)
	serveSettings(mux, e)
	serve(mux, "pause", func(ctx context.Context, r PauseRequest) (any, error) { return nothing{}, e.Pause(ctx, r) })
	serve(mux, "resume", func(ctx context.Context, r PauseRequest) (any, error) { return nothing{}, e.Resume(ctx, r) })
	serve(mux, "scan", func(ctx context.Context, r named) (any, error) { return nothing{}, e.Scan(ctx, r.Name) })
	serve(mux, "confirm", func(ctx context.Context, r named) (any, error) { return nothing{}, e.Confirm(ctx, r.Name) })
	serve(mux, "conflicts", func(ctx context.Context, _ nothing) (any, error) { return e.Conflicts(ctx) })
	serve(mux, "conflicts/list", func(ctx context.Context, r ConflictsRequest) (any, error) { return e.ListConflicts(ctx, r) })
	serve(mux, "content", func(ctx context.Context, r ContentRequest) (any, error) { return e.Content(ctx, r) })
	serveUpTo(mux, "resolve", maxResolve, func(ctx context.Context, r Resolve) (any, error) { return nothing{}, e.Resolve(ctx, r) })
	serve(mux, "resolve/undo", func(ctx context.Context, r Undo) (any, error) { return nothing{}, e.Undo(ctx, r) })
	serve(mux, "history", func(ctx context.Context, r HistoryRequest) (any, error) { return e.History(ctx, r) })
	serve(mux, "restore", func(ctx context.Context, r Restore) (any, error) { return e.Restore(ctx, r) })
	serve(mux, "activity", func(ctx context.Context, r ActivityRequest) (any, error) { return e.Activity(ctx, r) })
	serve(mux, "doctor", func(ctx context.Context, r DoctorRequest) (any, error) { return e.Doctor(ctx, r) })
	serve(mux, "config", func(ctx context.Context, _ nothing) (any, error) { return e.Config(ctx) })
	serveBrowse(mux, e)
	serveStop(mux, e)
	return mux
}

// serve adds one request to mux.
func serve[Q any](mux *http.ServeMux, name string, answer func(context.Context, Q) (any, error)) {
	serveUpTo(mux, name, maxRequest, answer)
}

// serveUpTo is serve for a request whose body may be larger.
func serveUpTo[Q any](mux *http.ServeMux, name string, most int64, answer func(context.Context, Q) (any, error)) {
	mux.HandleFunc("POST /v1/"+name, func(w http.ResponseWriter, r *http.Request) {
		var q Q
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, most))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&q); err != nil && !errors.Is(err, io.EOF) {
			refuse(w, &Error{Kind: KindUsage, Text: fmt.Sprintf("the engine does not understand this request (%v); are the command and the engine of the same version?", err)})
			return
		}
		a, err := answer(r.Context(), q)
		if err != nil {
			refuse(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(a) // the asker is gone if this fails
	})
}

func refuse(w http.ResponseWriter, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Kind: KindFailed, Text: err.Error()}
		if errors.Is(err, context.DeadlineExceeded) {
			e.Kind = KindTimeout
		}
	}
	code := http.StatusInternalServerError
	switch e.Kind {
	case KindUsage:
		code = http.StatusBadRequest
	case KindNotFound:
		code = http.StatusNotFound
	case KindChanged:
		code = http.StatusConflict
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(e)
}

// Serve answers on l until ctx ends.
func Serve(ctx context.Context, l net.Listener, e Engine) error {
	s := &http.Server{
		Handler: Handler(e), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the control socket: %w", err)
	}
	return nil
}
