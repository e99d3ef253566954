package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"pinion/engine/status"
)

// Client is an Engine across a socket.
type Client struct {
	http http.Client
	home string
}

// Dial makes a Client that connects by dial; home is named in errors.
func Dial(home string, dial func(context.Context) (net.Conn, error)) *Client {
	c := &Client{home: home}
	c.http.Transport = &http.Transport{
		DialContext:     func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		MaxIdleConns:    1,
		IdleConnTimeout: 10 * time.Second,
	}
	return c
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// statusWait is how long one request for news waits before it is made again.
const statusWait = 30 * time.Second

func ask[A any](ctx context.Context, c *Client, name string, q any) (A, error) {
	var a A
	body, err := json.Marshal(q)
	if err != nil {
		return a, fmt.Errorf("make the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://engine/v1/"+name, bytes.NewReader(body))
	if err != nil {
		return a, fmt.Errorf("make the request: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return a, c.unreachable(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var e Error
		if json.NewDecoder(resp.Body).Decode(&e) != nil || e.Text == "" {
			return a, fmt.Errorf("the engine answered %s; are the command and the engine of the same version?", resp.Status)
		}
		return a, &e
	}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return a, c.unreachable(ctx, err)
	}
	return a, nil
}

func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return &Error{Kind: KindNotRunning, Text: fmt.Sprintf("no engine is running for %s; start one with: pinion --daemon --home %s", c.home, c.home)}
	}
	return &Error{Kind: KindNotRunning, Text: fmt.Sprintf("the engine for %s went away: %v", c.home, err)}
}

func do(ctx context.Context, c *Client, name string, q any) error {
	_, err := ask[nothing](ctx, c, name, q)
	return err
}

func (c *Client) Status(ctx context.Context, after uint64) (status.State, error) {
	for {
		s, err := ask[status.State](ctx, c, "status", statusRequest{After: after, Wait: statusWait})
		if err != nil || s.Version != after || after == 0 {
			return s, err
		}
	}
}

func (c *Client) Invite(ctx context.Context) (Invitation, error) {
	return ask[Invitation](ctx, c, "invite", nothing{})
}

func (c *Client) Join(ctx context.Context, r JoinRequest) (Joined, error) {
	return ask[Joined](ctx, c, "join", r)
}

func (c *Client) RemoveDevice(ctx context.Context, device string) error {
	return do(ctx, c, "device/remove", named{device})
}

func (c *Client) RenameDevice(ctx context.Context, device, name string) error {
	return do(ctx, c, "device/rename", renameRequest{device, name})
}

func (c *Client) SetDevice(ctx context.Context, device string, s DeviceSettings) error {
	return do(ctx, c, "device/set", setDeviceRequest{device, s})
}

func (c *Client) AddFolder(ctx context.Context, r AddFolder) (status.Folder, error) {
	return ask[status.Folder](ctx, c, "folder/add", r)
}

func (c *Client) Accept(ctx context.Context, r Accept) (status.Folder, error) {
	return ask[status.Folder](ctx, c, "folder/accept", r)
}

func (c *Client) RemoveFolder(ctx context.Context, folder string) error {
	return do(ctx, c, "folder/remove", named{folder})
}

func (c *Client) SetFolder(ctx context.Context, folder string, s FolderSettings) error {
	return do(ctx, c, "folder/set", setFolderRequest{folder, s})
}

func (c *Client) Pause(ctx context.Context, r PauseRequest) error  { return do(ctx, c, "pause", r) }
func (c *Client) Resume(ctx context.Context, r PauseRequest) error { return do(ctx, c, "resume", r) }
func (c *Client) Scan(ctx context.Context, folder string) error {
	return do(ctx, c, "scan", named{folder})
}
func (c *Client) Confirm(ctx context.Context, folder string) error {
	return do(ctx, c, "confirm", named{folder})
}
func (c *Client) Resolve(ctx context.Context, r Resolve) error { return do(ctx, c, "resolve", r) }

func (c *Client) Conflicts(ctx context.Context) ([]Conflict, error) {
	return ask[[]Conflict](ctx, c, "conflicts", nothing{})
}

func (c *Client) History(ctx context.Context, r HistoryRequest) (History, error) {
	return ask[History](ctx, c, "history", r)
}

func (c *Client) Restore(ctx context.Context, r Restore) (Restored, error) {
	return ask[Restored](ctx, c, "restore", r)
}

func (c *Client) Activity(ctx context.Context, r ActivityRequest) (ActivityPage, error) {
	return ask[ActivityPage](ctx, c, "activity", r)
}

func (c *Client) Doctor(ctx context.Context, r DoctorRequest) ([]Finding, error) {
	return ask[[]Finding](ctx, c, "doctor", r)
}

func (c *Client) Config(ctx context.Context) (Config, error) {
	return ask[Config](ctx, c, "config", nothing{})
}

var _ Engine = (*Client)(nil)
