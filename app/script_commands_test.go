package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fleetphoto/fleetphoto/domain"
)

// script is what the commands below know of the script that runs.
type script struct {
	t      testing.TB
	server *running
}

type scriptKey struct{}

func scriptOf(ts *testscript.TestScript) *script { return ts.Value(scriptKey{}).(*script) }

// try appends a command and all that it prints to the file transcript: "try
// fleetphoto version". The command must succeed, or with "!" fail.
func try(ts *testscript.TestScript, fails bool, args []string) {
	if err := ts.Exec(args[0], args[1:]...); (err != nil) != fails {
		ts.Fatalf("%v: %v", args, err)
	}
	transcript, err := os.OpenFile(ts.MkAbs("transcript"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	_, err = fmt.Fprintf(transcript, "$ %s\n%s%s\n", strings.Join(args, " "), ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	ts.Check(err)
	ts.Check(transcript.Close())
}

// helpOfAll tries --help of the program and of every command.
func helpOfAll(ts *testscript.TestScript, _ bool, _ []string) {
	try(ts, false, []string{"fleetphoto", "--help"})
	_, list, _ := strings.Cut(ts.ReadFile("stdout"), "\nCommands:\n")
	tried := map[string]bool{}
	for line := range strings.Lines(list) {
		words := strings.Fields(line)
		if !strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "    ") || len(words) == 0 {
			continue
		}
		for i := 1; i <= len(words) && strings.Trim(words[i-1], "abcdefghijklmnopqrstuvwxyz") == ""; i++ {
			if command := strings.Join(words[:i], " "); !tried[command] {
				tried[command] = true
				try(ts, false, append(append([]string{"fleetphoto"}, words[:i]...), "--help"))
			}
		}
	}
}

// serveInBackground starts a server with the script's settings. It sets API to
// its base URL and FLEETPHOTO_ADMIN_ADDR, and writes what it logs until it
// listens to server.log.
func serveInBackground(ts *testscript.TestScript, _ bool, _ []string) {
	var settings []string
	parser, err := kong.New(&Config{})
	ts.Check(err)
	for _, flag := range parser.Model.Flags {
		for _, variable := range flag.Envs {
			if value := ts.Getenv(variable); value != "" && variable != "FLEETPHOTO_ADMIN_ADDR" {
				settings = append(settings, variable+"="+value)
			}
		}
	}
	s := scriptOf(ts)
	s.server = serve(s.t, ts.MkAbs("."), settings...)
	ts.Defer(func() { _ = s.server.Process.Kill(); _ = s.server.Wait() }) // before its files are removed
	ts.Setenv("API", s.server.api)
	ts.Setenv("FLEETPHOTO_ADMIN_ADDR", strings.TrimPrefix(s.server.admin, "http://"))
	ts.Check(os.WriteFile(ts.MkAbs("server.log"), []byte(s.server.logged), 0o600))
}

// stopServer stops it and writes what it logged since then to server.log.
func stopServer(ts *testscript.TestScript, _ bool, _ []string) {
	s := scriptOf(ts)
	ts.Check(os.WriteFile(ts.MkAbs("server.log"), []byte(s.server.stop(s.t)), 0o600))
}

// callServer calls the server with the parameters, of which name=@FILE is a
// file, prints the answer, and sets CALL to its api_log_id. The call must
// succeed, or with "!" fail.
func callServer(ts *testscript.TestScript, fails bool, args []string) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, parameter := range args {
		name, value, _ := strings.Cut(parameter, "=")
		if file, isFile := strings.CutPrefix(value, "@"); isFile {
			part, err := form.CreateFormFile(name, file)
			ts.Check(err)
			_, err = part.Write([]byte(ts.ReadFile(file)))
			ts.Check(err)
			continue
		}
		ts.Check(form.WriteField(name, value))
	}
	ts.Check(form.Close())
	response, err := http.Post(ts.Getenv("API")+"/update_customer_photo.json", form.FormDataContentType(), &body)
	ts.Check(err)
	defer func() { _ = response.Body.Close() }()
	var a answer
	ts.Check(json.NewDecoder(response.Body).Decode(&a))
	_, _ = fmt.Fprintf(ts.Stdout(), "%s %s %s %s\n", a.Result, a.Error, a.URL, a.Detail)
	if (a.Result != "valid") != fails {
		ts.Fatalf("got %+v", a)
	}
	ts.Setenv("CALL", strconv.FormatInt(a.ApiLogID, 10))
}

// keep sets a variable to what the last command printed: "keep KEY".
func keep(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// logOldCalls logs so many calls of a hundred days ago: "logged 3".
func logOldCalls(ts *testscript.TestScript, _ bool, args []string) {
	count, err := strconv.Atoi(args[0])
	ts.Check(err)
	backend, err := open(Adapters().Databases, ts.Getenv("FLEETPHOTO_DATABASE_URL"))
	ts.Check(err)
	defer func() { ts.Check(backend.Close()) }()
	ctx, then := scriptOf(ts).t.Context(), time.Now().UTC().Truncate(time.Microsecond).AddDate(0, 0, -100)
	ts.Check(backend.Start(ctx))
	for range count {
		_, err := backend.ApiLog.Record(ctx, domain.ApiCall{ReceivedAt: then}, domain.Outcome{Result: domain.Failed, Error: domain.TypeError, EndedAt: then})
		ts.Check(err)
	}
}
