package app

import (
	"context"
	"sync"
	"time"

	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/adapters/ratelimit"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// reportEvery is how often the calls that the rate limits refused are logged.
const reportEvery = time.Minute

// rateLimits returns the limits of the Config. Refused calls are reported while the
// application runs, and once more after the servers have stopped.
func rateLimits(config Config, log ports.ApiLog, b *backends, lifecycle fx.Lifecycle) usecase.RateLimits {
	limits := ratelimit.New(ratelimit.Options{
		FailureRate: config.AuthFailureRate, FleetRate: config.FleetRate, Log: log, Logger: b.logger, Clock: time.Now,
	})
	ctx, cancel := context.WithCancel(context.Background())
	var job sync.WaitGroup
	report := func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		limits.Report(ctx)
	}
	lifecycle.Append(fx.StartStopHook(
		func() { job.Go(func() { every(ctx, reportEvery, func() { report(ctx) }) }) },
		func(ctx context.Context) { cancel(); job.Wait(); report(ctx) },
	))
	return limits
}
