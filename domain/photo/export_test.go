package photo

import "time"

// Wait sets how long one image may take.
func (r *Reader) Wait(patience time.Duration) { r.fast.patience, r.slow.patience = patience, patience }

// NeutralProfile is what is kept of a profile.
var NeutralProfile = neutralProfile

// Profile is a profile by its name, and its owner's where that isn't empty.
func Profile(name, owner string) []byte { return ownedProfile(name, owner).bytes() }
