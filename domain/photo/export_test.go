package photo

import "time"

// Wait sets how long one image may take.
func (r *Reader) Wait(patience time.Duration) { r.fast.patience, r.slow.patience = patience, patience }
