package worker

// deepCall is how much stack a call of the AWS SDK takes, in bytes: its middleware
// nests a hundred frames. Nothing else goes as deep.
const deepCall = 40 << 10

// roomForCall grows the stack of a goroutine while there is next to nothing on
// it, and not in the depths of its calls. A stack grows by being copied to one of
// twice the size, with every frame on it adjusted; for goroutines that live as
// long as one image or user that was a fourteenth of all the time a run takes.
// The argument keeps the compiler from leaving the room out.
//
//go:noinline
func roomForCall(n int) byte {
	var room [deepCall]byte
	return room[n]
}
