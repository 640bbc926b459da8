package photo

import "time"

// Wait sets how long one image may take.
func (r *Reader) Wait(patience time.Duration) { r.fast.patience, r.slow.patience = patience, patience }

// NeutralProfile returns what is kept of a profile.
var NeutralProfile = neutralProfile

// Profile returns a profile by its name, with its owner if that is not empty.
func Profile(name, owner string) []byte { return ownedProfile(name, owner).bytes() }
