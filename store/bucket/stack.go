package bucket

// deepCall is how much stack a call of the SDK takes, in bytes: its middleware
// nests a hundred frames.
const deepCall = 40 << 10

// roomForCall grows the stack of the goroutine for a call of the SDK, here and
// not in the depths of its middleware. A stack grows by being copied to one of
// twice the size, with every frame on it adjusted; for goroutines that live as
// long as one image that was a fourteenth of all the time a run takes. The
// argument keeps the compiler from leaving the room out.
//
//go:noinline
func roomForCall(n int) byte {
	var room [deepCall]byte
	return room[n]
}
