package httpsuite

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// wire is a request byte by byte, as a program sends it.
type wire struct{ head, body string }

// newWire makes it from a template, whose lines end in CRLF in the head and in
// a multipart body. In the head, <host> and <length> stand for the target's host
// and the bytes of the body. A chunked body is one chunk.
func newWire(text string, target Target) (wire, error) {
	base, err := url.Parse(target.BaseURL)
	if err != nil {
		return wire{}, err
	}
	head, body, _ := strings.Cut(text, "\n\n")
	if strings.Contains(head, ": multipart/") {
		body = strings.ReplaceAll(body, "\n", "\r\n") // before photos are put in
	}
	if body, err = expand(body, target); err != nil {
		return wire{}, err
	}
	length := fmt.Sprint(len(body))
	if strings.Contains(head, "\nTransfer-Encoding: chunked") {
		body = fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	}
	head = strings.NewReplacer("\n", "\r\n", "<host>", base.Host, "<length>", length).Replace(head)
	return wire{head + "\r\n\r\n", body}, nil
}

// send sends the bytes over a connection of their own. Where they say that they
// expect it, 100 Continue must come before the body goes. It may come again, or
// unasked, before the answer, as a proxy sends it.
func (w wire) send(ctx context.Context, base string) (answer, error) {
	connection, err := dial(ctx, base)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = connection.Close() }() // the answer was read, or failed
	if err := connection.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return answer{}, err
	}
	reader, rest := bufio.NewReader(connection), w.head+w.body
	if strings.Contains(w.head, "\r\nExpect: 100-continue\r\n") {
		if got, err := exchangeBytes(connection, reader, w.head); err != nil || got.status != http.StatusContinue {
			return answer{}, errors.Join(fmt.Errorf("want 100 Continue before the body; %v", got), err)
		}
		rest = w.body
	}
	got, err := exchangeBytes(connection, reader, rest)
	for err == nil && got.status < http.StatusOK {
		got, err = exchangeBytes(connection, reader, "")
	}
	return got, err
}

func exchangeBytes(connection io.Writer, reader *bufio.Reader, request string) (answer, error) {
	if _, err := io.WriteString(connection, request); err != nil {
		return answer{}, err
	}
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	return readAnswer(response)
}

func dial(ctx context.Context, base string) (net.Conn, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if u.Scheme == "https" {
		return new(tls.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443")))
	}
	return new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80")))
}
