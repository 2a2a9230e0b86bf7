package alimedia_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

func ExampleRAMPolicy() {
	policy, err := alimedia.RAMPolicy("vod:CreateUploadVideo", "ice:RegisterMediaStream", "vod:CreateUploadVideo")
	fmt.Println(policy, err)
	// Output:
	// {
	//   "Version": "1",
	//   "Statement": [
	//     {
	//       "Effect": "Allow",
	//       "Action": [
	//         "ice:RegisterMediaStream",
	//         "vod:CreateUploadVideo"
	//       ],
	//       "Resource": "*"
	//     }
	//   ]
	// } <nil>
}

func TestRAMPolicy_Refuses(t *testing.T) {
	t.Parallel()
	for _, actions := range [][]string{nil, {"RegisterMediaStream"}, {"ice:"}, {"ice:register"}, {"ICE:RegisterMedia"}, {"ice:A", "x"}, {"ice:A\nB"}} {
		_, err := alimedia.RAMPolicy(actions...)
		require.Error(t, err, actions)
	}
	for _, action := range []string{"ice:*", "vod:Get*", "vod:GetURLUploadInfos"} {
		_, err := alimedia.RAMPolicy(action)
		require.NoError(t, err, action)
	}
}
