package httpsuite

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/contract-tests/testserver"
)

// saboteurs break a server in one way each, on the calls that it answers as
// described.
var saboteurs = []struct {
	name string
	hits func(c httpCase) bool // whether the case must notice
	mend func(answer *httptest.ResponseRecorder)
}{
	{
		"another status", func(httpCase) bool { return true },
		func(a *httptest.ResponseRecorder) { a.Code++ },
	},
	{
		"another error word", func(c httpCase) bool { return c.says(`"error":`) },
		replaceInBody(`"error":"`, `"error":"The `),
	},
	{
		"no detail", func(c httpCase) bool { return c.says(`"detail":`) },
		func(a *httptest.ResponseRecorder) {
			head, _, found := strings.Cut(a.Body.String(), `,"detail":`)
			if found {
				a.Body = bytes.NewBufferString(head + "}\n")
			}
		},
	},
	{
		"no api_log_id", func(c httpCase) bool { return c.says(`"api_log_id":<id>`) },
		replaceInBody(`"api_log_id":`, `"api_log_id":0,"id":`),
	},
	{
		"an address where nothing is", func(c httpCase) bool { return c.says("<url>") },
		replaceInBody("/customer_photos/", "/customer_photos/9"),
	},
	{
		"another content type", func(httpCase) bool { return true },
		func(a *httptest.ResponseRecorder) { a.Header().Set("Content-Type", "text/plain") },
	},
	{
		"a field more", func(httpCase) bool { return true },
		replaceInBody(`{"result"`, `{"more":1,"result"`),
	},
	{
		"the key repeated", func(c httpCase) bool { return c.says(`"detail":`) },
		replaceInBody(`"detail":"`, `"detail":"`+testserver.APIKey+` `),
	},
}

func replaceInBody(old, with string) func(*httptest.ResponseRecorder) {
	return func(a *httptest.ResponseRecorder) {
		a.Body = bytes.NewBufferString(strings.Replace(a.Body.String(), old, with, 1))
	}
}

func (c httpCase) says(text string) bool {
	for _, e := range c.exchanges {
		if strings.Contains(e.response, text) {
			return true
		}
	}
	return false
}

// sabotaged lets every call through to handler and breaks the answer of all
// but the one that puts the known photo, which is the first.
func sabotaged(handler http.Handler, mend func(*httptest.ResponseRecorder)) http.Handler {
	calls := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		served := r.Method == http.MethodGet && recorder.Code == http.StatusOK
		if calls++; calls > 1 && !served {
			mend(recorder)
		}
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(recorder.Body.Len()))
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(recorder.Body.Bytes())
	})
}

// TestCasesCanFail runs every case against servers that break one promise.
func TestCasesCanFail(t *testing.T) {
	cases, err := readCases(ownCases())
	if err != nil {
		t.Fatal(err)
	}
	for _, saboteur := range saboteurs {
		t.Run(saboteur.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range cases {
				if saboteur.hits(c) && c.check(t.Context(), serve(t, sabotaged(testserver.New(t, testserver.Memory()), saboteur.mend))) == nil {
					t.Errorf("the case %s passes on a server with %s", c.name, saboteur.name)
				}
			}
		})
	}
}

// TestCasesNoticeTheStore runs every case against a server that answers
// right and stores, or keeps, the wrong thing.
func TestCasesNoticeTheStore(t *testing.T) {
	cases, err := readCases(ownCases())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := testserver.Memory()
			handler := testserver.New(t, b)
			wrong := "{{gif}}"
			if c.photo == "{{gif}}" {
				wrong = "{{before}}"
			}
			misled := c
			misled.photo = wrong
			if misled.check(t.Context(), serve(t, handler)) == nil {
				t.Errorf("the case %s doesn't notice that another photo is stored", c.name)
			}
		})
	}
}

// TestCasesWaitForACache: behind a CDN, what was before may be seen for a while.
func TestCasesWaitForACache(t *testing.T) {
	t.Parallel()
	cases, err := readCases(ownCases())
	must(t, err)
	for _, c := range cases {
		if c.name != "update_json" && c.name != "delete_json" {
			continue
		}
		handler, looks := testserver.New(t, testserver.Memory()), 0
		slow := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				handler.ServeHTTP(w, r)
				return
			}
			if looks++; looks%2 == 1 { // what was before
				w.Header().Set("Content-Type", "image/jpeg")
				_, _ = w.Write(pictures()["before"])
				return
			}
			handler.ServeHTTP(w, r)
		}))
		if c.check(t.Context(), slow) == nil {
			t.Errorf("the case %s doesn't notice that the photo from before is served", c.name)
		}
		looks, slow.Patience = 0, answerTime
		if err := c.check(t.Context(), slow); err != nil {
			t.Errorf("the case %s doesn't wait: %v", c.name, err)
		}
	}
}
