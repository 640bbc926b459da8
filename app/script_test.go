package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// TestScripts runs the command as a person at a terminal does. With -args
// -write it writes the goldens again.
func TestScripts(t *testing.T) {
	t.Parallel()
	runScripts(t, "testdata/script", func(*testscript.Env) {})
}

// TestScriptsOnDatabases runs the scripts of what a database keeps on each kind.
func TestScriptsOnDatabases(t *testing.T) {
	t.Parallel()
	for name, choose := range map[string]func(*testscript.Env){
		"sqlite": func(env *testscript.Env) {
			env.Setenv("FLEETPHOTO_DATABASE_URL", "sqlite://"+filepath.Join(env.WorkDir, "data/fleetphoto.db"))
		},
		"postgres": func(env *testscript.Env) {
			env.Setenv("FLEETPHOTO_DATABASE_URL", servers.Postgres(env.T().(testing.TB)))
			env.Setenv("FLEETPHOTO_PIN_KEY", strings.Repeat("5e", 32))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runScripts(t, "testdata/script/databases", choose)
		})
	}
}

func runScripts(t *testing.T, directory string, choose func(*testscript.Env)) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir:           directory,
		UpdateScripts: *writeReference,
		Setup: func(env *testscript.Env) error {
			env.Values[scriptKey{}] = &script{t: env.T().(testing.TB)}
			choose(env)
			return os.WriteFile(filepath.Join(env.WorkDir, "portrait.jpg"), demoPhoto, 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"try": try, "help": helpOfAll, "serve": serveInBackground, "stopserver": stopServer,
			"call": callServer, "keep": keep, "logged": logOldCalls,
		},
	})
}
