package upload

import (
	"fmt"
	"time"
)

func ExampleProgress() {
	fmt.Println(Progress{Name: "launch.mp4", Stage: StageSend, Sent: 8_400_000, Total: 20_000_000, Rate: 2.1e6, ETA: 6 * time.Second})
	fmt.Println(Progress{Name: "launch.mp4", Stage: StageComplete, Sent: 20_000_000, Total: 20_000_000})
	fmt.Println(Progress{Name: "camera", Stage: StageSend, Sent: 123_000, Total: UnknownSize})
	// Output:
	// launch.mp4  42 %  8.4/20.0 MB  2.1 MB/s  ETA 6s
	// launch.mp4  100 %  20.0/20.0 MB  complete
	// camera  123.0 kB
}
