{
	Tools = ordered() {
		Group1 = GroupOperator {
			Tools = ordered() {
				Rectangle1 = RectangleMask {
					Inputs = {
						Center = Input { Value = { 0.25, 0.25 }, },
						Width = Input { Value = 0.25, },
						Height = Input { Value = 0.5, },
						EffectMask = Input { SourceOp = "Ellipse1", Source = "Mask", },
						PaintMode = Input { Value = FuID { "Add" }, },
					},
				},
			},
		},
		Ellipse1 = EllipseMask {
			Inputs = {
				SoftEdge = Input { Value = 0.01, },
				Center = Input { SourceOp = "Way", Source = "Value", },
				Width = Input { Value = 0.25, },
				Height = Input { SourceOp = "Tall", Source = "Value", },
			},
		},
		Way = XYPath {
			Inputs = {
				X = Input { SourceOp = "WayX", Source = "Value", },
				Y = Input { Value = 0.75, },
			},
		},
		WayX = BezierSpline { KeyFrames = { [0] = { 0.25, Flags = { Linear = true } }, [10] = { 0.75, Flags = { Linear = true } } } },
		Tall = BezierSpline { KeyFrames = { [-5] = { 0.25 } } },
		Off = EllipseMask { PassThrough = true, Inputs = { } },
	}
}
