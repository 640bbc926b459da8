package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/domain"
)

// hook starts and closes b with the application.
func (b openedBackend) hook(migrate bool, waiting waiting, logger *slog.Logger) fx.Hook {
	var steps []func(context.Context) error
	if migrate && b.Migrate != nil {
		steps = append(steps, b.Migrate)
	}
	if b.Start != nil {
		steps = append(steps, b.Start)
	}
	return fx.Hook{
		OnStart: func(ctx context.Context) error {
			for _, step := range steps {
				if err := waiting.untilAvailable(ctx, b.variable, logger, step); err != nil {
					_ = b.close() // a hook that failed isn't stopped
					return settingError(b.variable, err)
				}
			}
			return nil
		},
		OnStop: func(context.Context) error { return b.close() },
	}
}

func (b Backend) close() error {
	if b.Close == nil {
		return nil
	}
	return b.Close()
}

// waiting is how long a start waits for a backend that isn't there yet. Whoever
// starts everything at once starts some things too early.
type waiting struct {
	most  time.Duration   // 0: not at all
	ended <-chan struct{} // closed when the operator has given up
}

// untilAvailable repeats step while it fails with domain.Unavailable.
func (w waiting) untilAvailable(ctx context.Context, variable string, logger *slog.Logger, step func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-w.ended: // nil where nobody waits: then ctx alone ends
			cancel()
		case <-ctx.Done():
		}
	}()
	err := step(ctx)
	if w.most == 0 || !errors.Is(err, domain.Unavailable) {
		return err
	}
	logger.Warn("waiting for a backend", slog.String("setting", variable), slog.String("cause", err.Error()))
	giveUp := time.After(w.most)
	for errors.Is(err, domain.Unavailable) {
		select {
		case <-time.After(time.Second):
			err = step(ctx)
		case <-giveUp:
			return err
		case <-w.ended:
			return err
		}
	}
	return err
}

// migrate brings the databases up to date, and nothing else.
func migrate(ctx context.Context, config *Config, catalogue Catalogue) error {
	o := opening{config: config, byURL: map[string]Backend{}}
	_, customers, _ := o.databases(catalogue)
	if o.err != nil {
		return o.err
	}
	if customers.PINKeyFile != "" { // its key comes before an embedded database, never after
		if _, err := pinKey(config, customers); err != nil {
			return err
		}
	}
	for _, opened := range o.opened {
		if err := opened.migrateAndClose(ctx); err != nil {
			return settingError(opened.variable, err)
		}
	}
	return nil
}

func (b Backend) migrateAndClose(ctx context.Context) error {
	var err error
	if b.Migrate != nil {
		err = b.Migrate(ctx)
	}
	return errors.Join(err, b.close())
}
