// Package app composes the product: configuration, the catalogue of adapters, and
// fx modules to serve it or to embed it in another application.
//
// It imports everything. Only main packages import it, ours and other people's.
package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net"
	"os"
	"reflect"
	"runtime/debug"

	"go.uber.org/dig"
	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/adapters/cli"
	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/domain/operator"
)

// Main runs the command line with the adapters of catalogue and returns the
// exit code. Results go to standard output, logs and errors to standard error.
func Main(ctx context.Context, args []string, catalogue Catalogue) int {
	return run(ctx, args, catalogue, os.Stdout, os.Stderr)
}

func run(ctx context.Context, args []string, catalogue Catalogue, out, errOut io.Writer) int {
	p := &program{catalogue: catalogue}
	return cli.Main(ctx, args, cli.App{
		Settings: &p.config,
		Validate: func() error { return p.config.validate() },
		Check:    func() error { return checkSettings(p.config, catalogue) },
		Run:      p.run,
		Serve:    p.serve,
		Migrate:  func(ctx context.Context) error { return migrate(ctx, p.config, catalogue) },
		Doctor: func(cameFrom func(string) string) iter.Seq[operator.Section] {
			return doctor(p.config, catalogue, cameFrom)
		},
		OpenAPI:    func(version, format string) ([]byte, error) { return openAPI(p.config, version, format) },
		ReadyURL:   func() string { return "http://" + localHost(p.config.AdminAddr) + httpapi.ReadyPath },
		PhotosPath: httpapi.PhotosPath,
		Version:    version(),
	}, out, errOut)
}

// program implements cli.App.
type program struct {
	config    Config
	catalogue Catalogue
}

// application makes an fx application of modules.
func (p *program) application(config Config, logger *slog.Logger, of purpose, modules ...fx.Option) *fx.App {
	return fx.New(
		fx.NopLogger, fx.StartTimeout(startTimeout), fx.StopTimeout(stopTimeout),
		fx.Supply(config, p.catalogue, logger, of), fx.Options(modules...),
	)
}

// run implements cli.App.Run.
func (p *program) run(ctx context.Context, logger *slog.Logger, f any, supply ...any) error {
	of, rest := purpose{command: true, ended: ctx.Done()}, []any{}
	for _, value := range supply {
		switch value.(type) {
		case cli.AsIs:
			of.asIs = true
		case cli.Changes:
			if err := p.config.mayChange(); err != nil {
				return err
			}
		default:
			rest = append(rest, value)
		}
	}
	function, args := reflect.ValueOf(f), []reflect.Value(nil)
	var types []reflect.Type
	for i := 1; i < function.Type().NumIn(); i++ {
		types = append(types, function.Type().In(i))
	}
	take := reflect.MakeFunc(reflect.FuncOf(types, nil, false), func(in []reflect.Value) []reflect.Value { args = in; return nil })
	application := p.application(p.config, logger, of, Core, fx.Supply(rest...), fx.Invoke(take.Interface()))
	return runApplication(ctx, application, func(ctx context.Context) error {
		err, _ := function.Call(append([]reflect.Value{reflect.ValueOf(ctx)}, args...))[0].Interface().(error)
		return err
	})
}

// serve implements cli.App.Serve.
func (p *program) serve(ctx context.Context, logger *slog.Logger, demo bool, out io.Writer) error {
	config, modules := p.config, []fx.Option{Serve}
	if demo {
		config, modules = demoConfig(config), []fx.Option{addDemo, Serve}
	}
	application := p.application(config, logger, purpose{ended: ctx.Done()}, modules...)
	return runApplication(ctx, application, func(context.Context) error {
		if demo {
			if err := printDemo(out, config); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done(): // perhaps by a signal during the start
			logger.Info("stopping: running calls are finished first")
			return nil
		case signal := <-application.Wait():
			logger.Info("stopping: running calls are finished first")
			if signal.ExitCode != 0 {
				return errors.New("the server stopped by itself; the log above has the cause")
			}
			return nil
		}
	})
}

// runApplication starts an application, calls f and stops it. The end of ctx
// doesn't interrupt the start, or started components would never be stopped.
func runApplication(ctx context.Context, application *fx.App, f func(context.Context) error) error {
	if err := application.Err(); err != nil {
		return dig.RootCause(err)
	}
	starting, cancel := context.WithTimeout(context.WithoutCancel(ctx), application.StartTimeout())
	defer cancel()
	if err := application.Start(starting); err != nil {
		return dig.RootCause(err)
	}
	err := f(ctx)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), application.StopTimeout())
	defer cancel()
	return errors.Join(err, application.Stop(stopping))
}

// openAPI renders the document without opening a backend.
func openAPI(config Config, version, format string) ([]byte, error) {
	document := httpapi.New(config.httpOptions()).OpenAPI()
	render := map[[2]string]func() ([]byte, error){
		{"3.1", "json"}: document.MarshalJSON, {"3.1", "yaml"}: document.YAML,
		{"3.0", "json"}: document.Downgrade, {"3.0", "yaml"}: document.DowngradeYAML,
	}[[2]string{version, format}]
	text, err := render()
	if err != nil || format == "yaml" {
		return text, err
	}
	var indented bytes.Buffer
	err = json.Indent(&indented, append(text, '\n'), "", "  ")
	return indented.Bytes(), err
}

// version returns the module's version and, if known, its commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			text += " " + s.Value
		}
	}
	return text
}

// localHost returns the host and port under which this machine reaches addr.
func localHost(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
