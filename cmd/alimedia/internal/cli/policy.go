package cli

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/operation"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/record"
	"github.com/alimedia/alimedia-go/internal/catalogue"
)

func newPolicyCommand(a *app) *cobra.Command {
	var recorded []string
	cmd := &cobra.Command{
		Use:   "policy [OPERATION...]",
		Short: "Print the RAM policy for operations",
		Long: `policy prints the smallest RAM policy that allows operations: those that are
named, and those that --record noted.

An OPERATION is vod:GetVideoInfo, or GetVideoInfo if only one service has it,
or a pattern such as vod:Get*, which stands for all operations that match now.
oss:PutObject@BUCKET/FOLDER allows an action of OSS below a folder. With - the
names are read from standard input, one a line.

To learn what a command needs, run it with --record:
  alimedia --record ops.jsonl upload movie.mp4
  alimedia policy --recorded ops.jsonl

What a command did not come to in that run is missing, for example
RefreshUploadVideo, which uploads need that take longer than 50 minutes.`,
		Example: `  alimedia policy vod:CreateUploadVideo vod:RefreshUploadVideo vod:GetVideoInfo
  alimedia policy 'ice:Get*' 'ice:List*'`,
		ValidArgsFunction: completeOperations,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.policy(args, recorded)
		},
	}
	cmd.Flags().StringArrayVar(&recorded, "recorded", nil, "file that --record wrote; repeat it for several")
	return cmd
}

func (a *app) policy(args, recorded []string) error {
	var all []record.Permission
	if len(args) > 0 || len(recorded) == 0 {
		names, err := a.idsOf(args, "operation")
		if err != nil {
			return err
		}
		for _, name := range names {
			found, err := permissions(name)
			if err != nil {
				return asUsage(err)
			}
			all = append(all, found...)
		}
	}
	for _, name := range recorded {
		text, err := a.read(name)
		if err != nil {
			return err
		}
		found, err := record.Read(strings.NewReader(text))
		if err != nil {
			return usagef("%s: %w", name, err)
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return usagef("nothing was recorded: no request of the command needed a permission")
	}
	text, err := record.Policy(all)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, text)
	return err
}

// ossActions are those that uploads into buckets need.
var ossActions = []string{"PutObject", "GetObject", "ListParts", "AbortMultipartUpload", "DeleteObject", "ListObjects", "ListMultipartUploads", "GetBucketInfo", "GetBucketLocation"}

// permissions are those that a name on the command line stands for.
func permissions(name string) ([]record.Permission, error) {
	product, action, qualified := strings.Cut(name, ":")
	if !qualified {
		product, action = "", name
	}
	switch {
	case product == "oss":
		return ossPermission(action)
	case product == "sts" && action == "AssumeRole":
		return []record.Permission{{Action: name}}, nil
	case qualified:
		var err error
		if product, err = operation.Product(product); err != nil {
			return nil, fmt.Errorf("%w, oss or sts:AssumeRole", err)
		}
	}
	var found []record.Permission
	in := map[string]bool{}
	for _, p := range operation.Products {
		if product != "" && p != product {
			continue
		}
		for _, known := range catalogue.Actions(p) {
			match, err := path.Match(strings.ToLower(action), strings.ToLower(known))
			if err != nil {
				return nil, fmt.Errorf("%.60q is not a pattern", name)
			}
			if match && !catalogue.Find(p, known).Anonymous {
				found = append(found, record.Permission{Action: p + ":" + known})
				in[p] = true
			}
		}
	}
	switch {
	case len(found) == 0 && strings.ContainsAny(action, "*?["):
		return nil, fmt.Errorf("no operation matches %.60q", name)
	case len(found) == 0 && product != "":
		_, err := operation.Find(product, action)
		if err == nil {
			err = fmt.Errorf("%s needs no permission: it is open to everybody", name)
		}
		return nil, err
	case len(found) == 0:
		return nil, fmt.Errorf("neither vod nor ice has an operation %.60q", name)
	case len(in) > 1:
		return nil, fmt.Errorf("both services have %.60q: write vod:%[1]s, ice:%[1]s or both", action)
	}
	return found, nil
}

func ossPermission(text string) ([]record.Permission, error) {
	action, place, ok := strings.Cut(text, "@")
	if !ok || place == "" {
		return nil, fmt.Errorf("oss:%.60s needs a place: oss:%.60s@BUCKET/FOLDER", action, action)
	}
	i := slices.IndexFunc(ossActions, func(known string) bool { return strings.EqualFold(known, action) })
	if i < 0 {
		return nil, fmt.Errorf("oss:%.60s is not one of %s", action, strings.Join(ossActions, ", "))
	}
	action = ossActions[i]
	ofBucket := action == "ListObjects" || action == "ListMultipartUploads" || strings.HasPrefix(action, "GetBucket")
	bucket, folder, _ := strings.Cut(place, "/")
	if ofBucket {
		return []record.Permission{{Action: "oss:" + action, Resource: bucket}}, nil
	}
	if folder != "" {
		folder = strings.TrimSuffix(folder, "/") + "/"
	}
	return []record.Permission{{Action: "oss:" + action, Resource: bucket + "/" + folder}}, nil
}

func completeOperations(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp
	product, _, qualified := strings.Cut(word, ":")
	if !qualified {
		return []string{"vod:", "ice:", "oss:"}, directive | cobra.ShellCompDirectiveNoSpace
	}
	if product == "oss" {
		var all []string
		for _, action := range ossActions {
			all = append(all, "oss:"+action+"@")
		}
		return all, directive | cobra.ShellCompDirectiveNoSpace
	}
	product, err := operation.Product(product)
	if err != nil {
		return nil, directive
	}
	var all []string
	for _, action := range catalogue.Actions(product) {
		if name := product + ":" + action; strings.HasPrefix(strings.ToLower(name), strings.ToLower(word)) && !slices.Contains(args, name) {
			all = append(all, name)
		}
	}
	return all, directive
}
