{
	Tools = ordered() {
		FlowAnchor1 = PolylineMask {
			Inputs = {
				Polyline = Input { SourceOp = "Shape", Source = "Value", },
				Size = Input { Value = 0.5, },
				Center = Input { Value = { 0.25, 0.75 }, },
				ZRotation = Input { Value = 90, },
			},
		},
		Shape = BezierSpline {
			KeyFrames = {
				[10] = { 0, RH = { 13.3333333333333, 0.333333333333333 }, Flags = { Linear = true, LockedY = true }, Value = Polyline {
						Closed = true,
						Points = {
							{ X = -0.1, Y = -0.1, RX = 0.05, RY = 0.02 },
							{ X = 0.1, Y = -0.1, LX = -0.05, LY = -0.02 },
							{ X = 0, Y = 0.1 }
						}
					} },
				[20] = { 1, LH = { 16.6666666666667, 0.666666666666667 }, RH = { 23.3333333333333, 1 }, Flags = { LockedY = true }, Value = Polyline {
						Closed = true,
						Points = {
							{ X = -0.2, Y = -0.1, RX = 0.05, RY = -0.02 },
							{ X = 0.1, Y = -0.15, LX = -0.05, LY = -0.02 },
							{ X = 0.05, Y = 0.1 }
						}
					} },
				[30] = { 2, LH = { 26.6666666666667, 2 }, Flags = { LockedY = true }, Value = Polyline {
						Closed = true,
						Points = {
							{ X = 0, Y = -0.1 },
							{ X = 0.3, Y = -0.15 },
							{ X = 0.05, Y = 0.3 }
						}
					} }
			}
		},
		Rectangle1 = RectangleMask {
			Inputs = { Width = Input { Value = 1, } },
		},
	}
}
